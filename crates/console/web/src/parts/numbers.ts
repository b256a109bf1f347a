// Numbers as a reader of the page's language writes them.

import { language } from "~/text";

export function count(value: number): string {
  return value.toLocaleString(language);
}

/** 12_300 as "12.3K". */
export function compact(value: number): string {
  return value.toLocaleString(language, { notation: "compact", maximumFractionDigits: 1 });
}

export function percent(share: number): string {
  return share.toLocaleString(language, { style: "percent", maximumFractionDigits: 0 });
}

/** US dollars: two digits, or as many as a small amount needs. */
export function usd(value: number): string {
  const small = value !== 0 && Math.abs(value) < 0.01;
  return value.toLocaleString(language, {
    style: "currency",
    currency: "USD",
    minimumFractionDigits: 2,
    maximumFractionDigits: small ? 6 : 2,
  });
}

export function bytes(value: number): string {
  const units = ["byte", "kilobyte", "megabyte", "gigabyte"] as const;
  const step = value < 1000 ? 0 : Math.min(3, Math.floor(Math.log10(value) / 3));
  return (value / 1000 ** step).toLocaleString(language, {
    style: "unit",
    unit: units[step] ?? "byte",
    unitDisplay: "short",
    maximumFractionDigits: step === 0 ? 0 : 1,
  });
}
