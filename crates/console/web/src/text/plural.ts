/** A number with its noun, such as "1 file" and "2 files". */
export const plural = (n: number, one: string, many: string) => `${n} ${n === 1 ? one : many}`;
