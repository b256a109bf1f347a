#include <vector>
namespace shape {
template <typename T> class Square : public Shape<T> {
 public:
  explicit Square(T side) : side_(side) {}
  auto area() const -> T override { return side_ * side_; }
  bool operator==(const Square &o) const { return std::any_of(v.begin(), v.end(), [&](auto x) { return x && o.side_; }); }
 private:
  T side_;
};
}  // namespace shape
