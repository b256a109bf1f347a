//! Ruby: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const STORE: &str = r##"# frozen_string_literal: true

require "json"
require_relative "record"
require_relative "../util/text"

# Keeps things.
module Shop
  LIMIT = 64

  # What is sold.
  Item = Struct.new(:name, :price) do
    def label
      "#{name}: #{price}"
    end
  end

  class Store < Base::Repository
    include Enumerable

    attr_reader :items

    # rubocop:disable Metrics
    def initialize(path, limit = LIMIT, *rest, mode: :fast, **options, &block)
      @path = path
      @items ||= []
    end

    # Reads everything. TODO: stream
    def load(force)
      return items unless force || stale?

      rows = JSON.parse(File.read(@path))
      rows.each_with_index do |row, index|
        next if row.empty? && index > LIMIT

        add(Item.new(row["name"], row["price"] ? row["price"] : 0))
      end
    rescue Errno::ENOENT, JSON::ParserError => e
      logger.warn(e.message)
      []
    ensure
      close
    end

    def kind(item)
      case item
      when Item, nil then :plain
      when Hash
        :map
      else
        :other
      end
    end

    def match(event)
      case event
      in { type: "sold", price: Integer => price } if price > 0
        price
      in [first, *]
        first
      end
    end

    def drain
      while (item = items.pop)
        begin
          sell(item)
        rescue
          retry if again?
        end
      end
      until items.empty? do items.shift end
      for name in %w[a b] do puts name end
      value = Integer("7") rescue 0
      if value.zero?
        nil
      elsif value > 3 and not value.odd?
        3
      else
        value += 1 while value < 9
      end
    end

    def each(&) = items.each(&)

    def self.open(path)
      store = new(path)
      store.load(true)
      store
    end

    class << self
      def default = @default ||= new("items.json")
    end

    def ==(other)
      other.items == items
    end

    def limit=(value)
      @limit = value
    end

    private

    def stale?
      @stale
    end

    public

    def close; end

    def again? = false

    private :again?

    private def logger
      Shop::LOGGER
    end
  end
end

def helper(x) = x

__END__
TODO is data here
"##;

#[test]
fn a_file_of_ruby() {
    let facts = analyse("lib/store.rb", STORE);
    // initialize: 1 + ||= = 2; five parameters and a block.
    // load: 1 + unless + || + if + && + ?: + rescue + ensure = 8;
    //   cognitive: unless 1 + run 1; in the block (one deeper) if 2 + run 1 + ?: 2; rescue 1 = 8; nesting: the handler
    //   or a condition.
    // kind: 1 + two `when` = 3; cognitive: case 1.
    // match: 1 + two `in` + guard = 4; cognitive: case 1.
    // drain: 1 + while + rescue + if + until + for + rescue + if + elsif + and + while = 11;
    //   cognitive: while 1, rescue 2, if 3, until 1, for 1, rescue 1, if 1, elsif 1, run 1, else 1, while 2 = 15;
    //   nesting: while, begin, if.
    // default: 1 + ||= = 2.
    assert_eq!(
        definitions(&facts),
        [
            "module Shop 8-123 de",
            "constant Shop.LIMIT 9-9 e",
            "struct Shop.Item 12-16 de",
            "method Item.label 13-15 e 1/0/0/0/3",
            "class Shop.Store 18-122 e",
            "method Store.initialize 24-27 e! 2/0/0/6/4",
            "method Store.load 30-44 de 8/8/1/1/15",
            "method Store.kind 46-54 e 3/1/1/1/9",
            "method Store.match 56-63 e 4/1/1/1/8",
            "method Store.drain 65-83 e 11/15/3/0/19",
            "method Store.each 85-85 e! 1/0/0/1/1",
            "method Store.open 87-91 e 1/0/0/1/5",
            "method Store.default 94-94 e 2/0/0/0/1",
            "method Store.== 97-99 e! 1/0/0/1/3",
            "method Store.limit= 101-103 e 1/0/0/1/3",
            "method Store.stale? 107-109 1/0/0/0/3",
            "method Store.close 113-113 e 1/0/0/0/1",
            "method Store.again? 115-115 1/0/0/0/1",
            "method Store.logger 119-121 1/0/0/0/3",
            "function helper 125-125 e 1/0/0/1/1",
        ]
    );
    assert_eq!(imports(&facts), ["json 3", "./record 4", "../util/text 5"]);
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Base.Repository 18",
            "Errno.ENOENT 39",
            "JSON.ParserError 39"
        ]
    );
    // A bare name is a call unless it was assigned before; `row` and `index` are parameters.
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            "File.read 33",
            "Integer 75",
            "Item.new 37",
            "JSON.parse 33",
            "Struct.new 12",
            "add 37",
            "again? 70",
            "attr_reader 21",
            "close 43",
            "e.message 40",
            "include 19",
            "items 31 98",
            "items.each 85",
            "items.empty? 73",
            "items.pop 66",
            "items.shift 73",
            "logger.warn 40",
            "name 14",
            "new 88 94",
            "other.items 98",
            "price 14",
            "private 117 119",
            "puts 74",
            "require 3",
            "require_relative 4 5",
            "row.empty? 35",
            "rows.each_with_index 34",
            "sell 68",
            "stale? 31",
            "store.load 89",
            "value.odd? 78",
            "value.zero? 76",
        ]
    );
    let names = references(&facts, ReferenceKind::Name);
    for expected in [
        "Enumerable 19",
        "Item 48",
        "LIMIT 24 35",
        "Shop.LOGGER 120",
        "fast 24",
    ] {
        assert!(
            names.iter().any(|name| name == expected),
            "{expected} in {names:?}"
        );
    }
    assert_eq!(facts.todos, [29]);
    assert_eq!(facts.tests, [] as [u32; 0]);
    assert_eq!(facts.signs.get(Sign::CatchSpecific), Some(&[39][..]));
    assert_eq!(facts.signs.get(Sign::CatchBroad), Some(&[69][..]));
    // Text after `__END__` is data, and counted with the comments.
    assert_eq!(lines(&facts), (96, 6, 26));
}

const SPEC: &str = r##"require "spec_helper"

RSpec.describe Shop::Store do
  let(:store) { described_class.new("x") }

  describe "#load" do
    it "reads" do
      expect(store.load(true)).to eq([])
    end

    context "when stale" do
      it { is_expected.to be_stale }
      it "waits"
    end
  end
end

class StoreTest < Minitest::Test
  def setup
    @store = Shop::Store.open("x")
  end

  def test_empty
    assert_empty @store.items
  end

  def helper; end
end
"##;

#[test]
fn tests_of_rspec_and_minitest() {
    let facts = analyse("spec/store_spec.rb", SPEC);
    // `it "waits"` has no body, so it is a pending test.
    assert_eq!(facts.tests, [7, 12, 23]);
    assert_eq!(
        definitions(&facts),
        [
            "class StoreTest 18-28 et",
            "method StoreTest.setup 19-21 e!t 1/0/0/0/3",
            "method StoreTest.test_empty 23-25 et 1/0/0/0/3",
            "method StoreTest.helper 27-27 et 1/0/0/0/1",
        ]
    );
    let calls = references(&facts, ReferenceKind::Call);
    for expected in ["Shop.Store.open* 20", "store.load* 8"] {
        assert!(
            calls.iter().any(|call| call == expected),
            "{expected} in {calls:?}"
        );
    }
}
