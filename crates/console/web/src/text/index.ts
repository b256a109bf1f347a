// The words of the console, all in one catalogue a language. `t` is chosen once, before anything is drawn.

import { type Catalogue, en } from "./en/index.ts";

export type { Catalogue } from "./en/index.ts";

export const LANGUAGES = { en: "English", de: "Deutsch" } as const;
export type Language = keyof typeof LANGUAGES;

const STORED = "nyxcore.language";

export let t: Catalogue = en;
export let language: Language = "en";

/** What the reader chose, or else what the browser asks for. */
function languageWanted(): Language {
  const stored = localStorage.getItem(STORED);
  if (stored === "en" || stored === "de") return stored;
  const known = navigator.languages.map((one) => one.slice(0, 2)).find((one) => one === "en" || one === "de");
  return known === "de" ? "de" : "en";
}

/** Loads the catalogue. English is in the bundle; another language is a file of its own. */
export async function textLoad(): Promise<void> {
  language = languageWanted();
  if (language === "de") t = (await import("./de/index.ts")).de;
  document.documentElement.lang = language;
}

export function languageChoose(next: Language): void {
  localStorage.setItem(STORED, next);
  location.reload();
}
