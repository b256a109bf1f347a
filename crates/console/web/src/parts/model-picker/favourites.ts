// The models that a person has marked, in this browser.

import { useLocalStorage } from "@mantine/hooks";

export function useFavourites(): { has: (id: string) => boolean; toggle: (id: string) => void; all: string[] } {
  const [all, setAll] = useLocalStorage<string[]>({ key: "nyxcore.favourite-models", defaultValue: [] });
  return {
    all,
    has: (id) => all.includes(id),
    toggle: (id) => setAll((before) => (before.includes(id) ? before.filter((one) => one !== id) : [...before, id])),
  };
}
