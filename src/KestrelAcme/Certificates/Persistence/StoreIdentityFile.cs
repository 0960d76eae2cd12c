using System.Text.Json;
using KestrelAcme.Storage;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// The stored form of what tells a store from an emptied one: JSON. One that cannot be read counts as missing, and is written again.
/// </summary>
internal static class StoreIdentityFile
{
    public static byte[] Encode(StoreIdentity identity) => JsonFields.Write(identity, static (json, identity) =>
    {
        json.WriteText("id", identity.Id);
        json.WriteText("filledBy", identity.FilledBy);
        json.WriteNumber("round", identity.Round);
    });

    public static StoreIdentity? Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return JsonFields.Read(value, static json => new StoreIdentity(
                json.Text("id"), json.OptionalText("filledBy"), json.Number("round")));
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
