using System;
namespace App;
/// <summary>Stores.</summary>
public class Store : IStore {
    public string Name { get; set; }
    public async Task<int> GetAsync(int a, params string[] rest) {
        try { foreach (var r in rest) { if (a > 0 && r is not null) continue; } } catch (IOException e) when (e.Code == 1) { throw; }
        return a switch { 1 => 2, _ => await client?.Get(a) ?? 0 };
    }
}
