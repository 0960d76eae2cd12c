using System.Text.Json;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// The time of the next check of a revocation list for the certificates of one issuer, and the last CRL number. Stored, so that a restart
/// neither fetches the list again nor accepts an older one.
/// </summary>
internal sealed record RevocationListRecord
{
    public required Uri Url { get; init; }

    /// <summary>The SHA-256 of the issuer's public key, in hexadecimal.</summary>
    public required string IssuerKey { get; init; }

    /// <summary>
    /// The time of the next check for each set of certificates that the list was searched for, keyed by the hash of the set. An instance
    /// with other certificates searches the list itself.
    /// </summary>
    public required IReadOnlyDictionary<string, DateTimeOffset> NextChecks { get; init; }

    /// <summary>The CRL number, in decimal.</summary>
    public string? Number { get; init; }
}

/// <summary>The stored form of a <see cref="RevocationListRecord"/>: JSON.</summary>
internal static class RevocationListFile
{
    public static byte[] Encode(RevocationListRecord record)
        => JsonSerializer.SerializeToUtf8Bytes(record, PersistenceJsonContext.Default.RevocationListRecord);

    /// <exception cref="DamagedValueException">The value is not such a file.</exception>
    public static RevocationListRecord Decode(ReadOnlySpan<byte> value)
        => StoredJson.Decode(value, PersistenceJsonContext.Default.RevocationListRecord);
}
