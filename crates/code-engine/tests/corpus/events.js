'use strict';
// Events as they were written before classes, and after.
var emitter = require('./emitter');

function Events(options) {
  if (!(this instanceof Events)) return new Events(options);
  this.limit = options && options.limit || 10;
}

Events.prototype.on = function on(name, handler) {
  for (var i = 0, n = arguments.length; i < n; i++) if (arguments[i]) continue; else break;
  return this;
};

exports.once = function (name) { return name ? emitter : null; };
module.exports.all = (a, b = a ?? 1) => { for (const x of a) { for (const y in b) { if (x) {} else if (y) {} } } };

const { first = 1, second: [third = 2] = [] } = emitter;
const pipe = (...fns) => (value) => fns.reduce((sum, fn) => fn(sum), value);
let late; late = async () => { await (late || pipe); };

class Queue extends Events {
  #items = [];
  static of(...items) { return items.length > 1 ? new Queue(items) : null; }
  async *drain() { while (this.#items.length) yield this.#items.shift() ?? null; }
  get length() { return this.#items?.length || 0; }
  handler = () => { try { this.drain(); } catch (error) { throw error; } };
}

(function immediately() { label: do { switch (late) { case 1: case 2: break label; default: } } while (0); })();
it('counts', function () { const inner = () => 1 && 2; inner(); });
const page = <Queue.Row key={first || 1}>{pipe && <b/>}</Queue.Row>;
