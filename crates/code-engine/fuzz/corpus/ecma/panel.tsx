import type { Props } from './props';
import React, { useState as state } from "react";
import * as api from './api';
export { helper } from './helper';

/** Limits. */
export const LIMIT = 3;
export interface Options extends Base<Props> { deep?: boolean; run(one: api.Item): void }
export type Alias = Options | null;
enum Colour { Red = LIMIT }

/**
 * Loads. TODO: less
 */
export async function load(path: string, size = LIMIT, ...rest: string[]): Promise<Item> {
  const { deep = false } = options(path);
  outer: for (const one of rest) {
    switch (one) {
      case 'a':
      case Names.B:
        return client?.http.get<Item>(path)?.body;
      default:
        if (path && !rest.length || deep) { break outer; } else if (!path) { throw new Failure('x'); } else { log(one); }
    }
  }
  try { await api.save(one); } catch { while (size) size--; }
  const run = rest.map((one) => one ? one ?? path : check(one && path));
  return (path && (size && run)) ? `${run.length}` : run;
}

const local = async (a: number) => { do a--; while (a); };

export default class Panel extends React.Component<Props> implements Shown {
  #open = false;
  /** Gets. */
  get(id: Key) { return this.#open || super.get(id); }
  private handle = () => { state(typeof LIMIT); };
  static of(): Panel { return new Panel(); }
  render() { return <Layout.Row title={names[0].first}><b>{this.props.open && <Icon kind={Colour.Red}/>}</b></Layout.Row>; }
}

describe('panel', () => { it('shows', () => { expect(local(1)).toBe(1); }); });
export { local };
