package app
import kotlin.collections.List
data class Store(val items: List<Item>) : Base() {
    suspend fun get(a: Int, vararg rest: String): Item? {
        for (r in rest) { when (r) { "a", "b" -> return null; else -> if (a > 0 && r != "") break } }
        return items.firstOrNull { it.ready } ?: fetch(a)
    }
}
