package app
import scala.collection.mutable.{Map => M}
case class Store[T](items: List[T]) extends Base with Sink {
  def get(a: Int, rest: String*): Option[T] = a match {
    case 0 | 1 if rest.nonEmpty => None
    case _ => for (i <- items; if check(i)) yield i; items.headOption
  }
}
