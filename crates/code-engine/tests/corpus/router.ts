// Routes requests, in every construct that the two parsers could read differently.
import type { Request } from './request';

export type Handler<T = unknown> = (request: Request, next?: () => void) => T | Promise<T>;

export abstract class Router<T> implements Iterable<T> {
  static readonly #routes = new Map<string, Handler>();
  private limit = this.size ?? 3;
  onError = async (error: Error, { retry = false, ...rest }: Options = {}) => {
    if (retry && !rest.done) throw error;
  };
  constructor(readonly base: string, private depth: number = 2) {}
  get size(): number { return Router.#routes.size || 0; }
  set size(value) { this.limit = value ? value : 0; }
  abstract route(path: string): T;
  *[Symbol.iterator](): Iterator<T> { for (const one of this.all()) yield one; }
  protected all(): T[];
  protected all(limit?: number): T[] {
    outer: for (let i = 0; i < (limit ?? 10); i++) {
      for (const key in this) {
        switch (key) {
          case 'base': continue outer;
          case 'depth': { break; }
          default: do { i++; } while (i < 3 && this.depth);
        }
      }
    }
    try { return this.list!.filter((one): one is T => one != null && !!one); } catch { return []; } finally { this.limit--; }
  }
}

export const handlers = {
  index: (request: Request) => request.path === '/' ? 'index' : undefined,
  async show({ id = '1' }: { id?: string }) { return id && (await find(id))?.name; },
  'not-found': function missing() { return 404; },
  nested: { deep: () => { while (true) { break; } } },
};

export default function create<T extends Handler>(this: void, handler: T, ...more: T[]): Router<T> {
  const local = function named(a = 1, [b = 2, c]: number[] = []) { return a || b || c; };
  function inner() { return more.map((one) => one ?? local); }
  module.exports = local;
  handler.run = (x) => x && inner();
  return ((handler as any) satisfies unknown) && <any>inner();
}

declare function ambient(a: number): void;
namespace Inner { export function within() { if (1) return; } }
enum Colour { Red = 1 << 2, Green = Red || 3 }
