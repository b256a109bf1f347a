//! C++: exact facts of a file written for the purpose, every number counted by hand.

use nyxcore_code_engine::facts::Sign;
use nyxcore_code_engine::references::ReferenceKind;

use crate::notation::{analyse, definitions, imports, lines, references};

const CACHE: &str = r#"#include "cache.h"
#include <vector>

namespace store {
namespace {
constexpr int kLimit = 64;
bool is_small(const Entry& entry) { return entry.size < kLimit; }
}  // namespace

using Clock = std::chrono::steady_clock;

/// Keeps what was read.
class STORE_API Cache final : public Base {
 public:
  explicit Cache(int limit) : limit_(limit) {}
  ~Cache() override = default;

  /// Finds an entry.
  template <typename Key>
  const Entry* find(const Key& key, bool touch = true) const {
    for (const auto& shard : shards_) {
      if (auto it = shard.find(key); it != shard.end() && touch) {
        return &it->second;
      } else if (is_small(shard.front()) or key.empty()) {
        continue;
      }
    }
    return nullptr;
  }

  bool operator==(const Cache& other) const { return limit_ == other.limit_; }
  virtual void clear() = 0;

 private:
  int size() const REQUIRES(mutex_) { return limit_ > 0 ? limit_ : kLimit; }  // FIXME
  int limit_;
  std::mutex mutex_;
};

enum class Mode { Fast, Safe };

template <>
void Cache::load<int>(std::istream&& in, Mode mode) {
  try {
    auto read = [&](int n) { return n > 1 && in.good(); };
    while (read(kLimit)) {
      switch (mode) {
        case Mode::Fast:
          items_.push_back(std::make_unique<Entry>(in));
          break;
        default:
          throw std::runtime_error("mode");
      }
    }
  } catch (const std::exception& error) {
    log::warn(error.what());
  } catch (...) {
  }
}

static void report(Cache* cache) {
  cache->stats().print();
  auto* copy = new Cache(3);
  delete copy;
}
}  // namespace store

TEST(CacheTest, Finds) {
  store::Cache cache(3);
  EXPECT_EQ(cache.find("a"), nullptr);
}

int main() { return 0; }
"#;

#[test]
fn a_file_of_cplusplus() {
    let facts = analyse("src/cache.cc", CACHE);
    // find: 1 + for + if + && + else if + or = 6; cognitive: for 1 + if 2 + && 1 + else if 1 + or 1 = 6; nesting: for,
    // if. size: 1 + ?: = 2; cognitive 1. load: 1 + && (of the lambda, whose branches are its function's) + while + case
    // + 2 catch = 6;
    //   cognitive: && 1 + while 1 + switch 2 + catch 1 + catch 1 = 6; nesting: try, while, switch.
    assert_eq!(
        definitions(&facts),
        [
            "module store 4-66 e",
            "constant kLimit 6-6",
            "function is_small 7-7 1/0/0/1/1",
            "type store.Clock 10-10 e",
            "class store.Cache 13-38 de",
            "method Cache.Cache 15-15 e! 1/0/0/1/1",
            "method Cache.~Cache 16-16 e!",
            "method Cache.find 20-29 de 6/6/2/2/10",
            "method Cache.operator== 31-31 e! 1/0/0/1/1",
            "method Cache.size 35-35 2/1/0/0/1",
            "enum store.Mode 40-40 e",
            "method Cache.load 43-59 e 6/6/3/2/17",
            "function store.report 61-65 1/0/0/1/5",
            "function CacheTest.Finds 68-71 t 1/0/0/0/4",
            "function main 73-73 e! 1/0/0/0/1",
        ]
    );
    assert_eq!(imports(&facts), ["cache.h 1", "vector 2"]);
    assert_eq!(
        references(&facts, ReferenceKind::Call),
        [
            ".print 62",
            "Cache 63",
            "EXPECT_EQ* 70",
            "cache.find* 70",
            "cache.stats 62",
            "error.what 56",
            "in.good 45",
            "is_small 24",
            "items_.push_back 49",
            "key.empty 24",
            "log.warn 56",
            "read 46",
            "shard.end 22",
            "shard.find 22",
            "shard.front 24",
            "std.make_unique 49",
            "std.runtime_error 52",
        ]
    );
    assert_eq!(
        references(&facts, ReferenceKind::Type),
        [
            "Base 13",
            "Cache 31 61",
            "CacheTest* 68",
            "Entry 7 20 49",
            "Key 20",
            "Mode 43",
            "std.chrono.steady_clock 10",
            "std.exception 55",
            "std.istream 43",
            "std.mutex 37",
            "store.Cache* 69",
        ]
    );
    assert_eq!(facts.signs[Sign::CatchBroad], [55, 57]);
    assert_eq!(facts.signs[Sign::CatchEmpty], [57]);
    assert_eq!((&facts.tests[..], &facts.todos[..]), (&[68][..], &[35][..]));
    assert_eq!(facts.syntax_errors, 0);
    assert_eq!(lines(&facts), (60, 2, 11));
}
