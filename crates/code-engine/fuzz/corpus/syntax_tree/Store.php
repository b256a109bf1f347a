	<?php
namespace App;
use App\Models\Item;
final class Store extends Base implements Sink {
    public function get(int $a, string ...$rest): ?Item {
        foreach ($rest as $r) { if ($a > 0 && $r !== '') { continue; } elseif (!$r) { throw new Failure('x'); } }
        try { return $this->client->get($a)->item ?? Item::of($a); } catch (IOException | Timeout $e) { }
        return match (true) { $a > 1 => null, default => fn($x) => $x };
    }
}
