using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// The stored form of what tells a store from an emptied one: JSON. One that cannot be read counts as missing, and is written again.
/// </summary>
internal static class StoreIdentityFile
{
    public static byte[] Encode(StoreIdentity identity)
        => JsonSerializer.SerializeToUtf8Bytes(identity, PersistenceJsonContext.Default.StoreIdentity);

    public static StoreIdentity? Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonSerializer.Deserialize(value, PersistenceJsonContext.Default.StoreIdentity);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>Which store it is.</summary>
/// <param name="Id">A random ID, made when the store was first used. If it changes, the store was emptied or replaced.</param>
/// <param name="FilledBy">The instance that writes back what it has in memory; <see langword="null"/> if nobody does.</param>
/// <param name="Round">Grows while it does, so that others see that it is still alive.</param>
internal sealed record StoreIdentity(string Id, string? FilledBy = null, int Round = 0);
