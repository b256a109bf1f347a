// Text that is being written. It survives a reload, a lost session and a closed tab until it is saved or thrown away.

import { useCallback, useEffect, useState } from "react";

export interface Draft<Value> {
  value: Value;
  set: (change: Partial<Value>) => void;
  /** Differs from what is saved. */
  dirty: boolean;
  /** Was found again from before. */
  restored: boolean;
  forget: () => void;
}

const PREFIX = "nyxcore.draft.";

export function useDraft<Value extends object>(key: string, saved: Value): Draft<Value> {
  const name = PREFIX + key;
  const [change, setChange] = useState<Partial<Value> | null>(() => read(name));
  const [restored, setRestored] = useState(change !== null);
  const value = { ...saved, ...change };
  const dirty = JSON.stringify(value) !== JSON.stringify(saved);
  useEffect(() => {
    try {
      if (change && dirty) localStorage.setItem(name, JSON.stringify(change));
      else localStorage.removeItem(name);
    } catch {
      // Without storage, or with a full one, the text is in the page alone.
    }
  }, [name, change, dirty]);
  return {
    value,
    dirty,
    restored: restored && dirty,
    set: useCallback((part) => setChange((before) => ({ ...before, ...part }) as Partial<Value>), []),
    forget: useCallback(() => {
      setRestored(false);
      setChange(null);
    }, []),
  };
}

function read<Value>(name: string): Partial<Value> | null {
  try {
    const text = localStorage.getItem(name);
    return text ? (JSON.parse(text) as Partial<Value>) : null;
  } catch {
    return null;
  }
}
