using System.Security.Cryptography;
using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Protocol.Accounts;
using KestrelAcme.Storage;
using KestrelAcme.Storage.Protection;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of an <see cref="AccountRecord"/>.</summary>
internal static class AccountFile
{
    private const string NotKeys = "it does not hold one or two private keys";

    public static byte[] Encode(AccountRecord record)
    {
        string[] keys = record.NextPrivateKeyPem is { } next ? [record.PrivateKeyPem, next] : [record.PrivateKeyPem];
        return PemDocument.Encode(
            JsonFields.Write(record.Metadata, WriteMetadata),
            keys.Select(key => (PemDocument.PrivateKeyLabel, Content(key))));
    }

    /// <summary>
    /// Decodes an account file. If only the data around its key is damaged, the record is <see cref="AccountRecord.IsRepaired"/>: the
    /// account is not given up for that.
    /// </summary>
    /// <exception cref="DamagedValueException">The value has no readable key.</exception>
    public static AccountRecord Decode(ReadOnlySpan<byte> value)
    {
        try
        {
            return DecodeWhole(value);
        }
        catch (DamagedValueException) when (!SecretParts.IsAnyProtected(value) && Salvage(value) is { } saved)
        {
            return saved;
        }
    }

    private static AccountRecord DecodeWhole(ReadOnlySpan<byte> value)
    {
        var document = new PemDocumentReader(value);
        var keys = new List<byte[]>(2);
        while (document.Next())
        {
            var isKey = document.Is(PemDocument.PrivateKeyLabel) && keys.Count < 2;
            keys.Add(isKey ? document.Read() : throw new DamagedValueException(NotKeys));
        }

        if (keys.Count == 0)
        {
            throw new DamagedValueException(NotKeys);
        }

        var metadata = StoredJson.Decode(document.Metadata, ReadMetadata, "its metadata");
        try
        {
            return metadata.DirectoryUrl.IsAbsoluteUri && metadata.AccountUrl is not { IsAbsoluteUri: false }
                ? new AccountRecord(Readable(keys[0]), metadata, keys.Count > 1 ? Readable(keys[1]) : null)
                : throw new DamagedValueException("a URL in its metadata is not absolute");
        }
        catch (ArgumentException exception)
        {
            throw new DamagedValueException("its private key cannot be read", exception);
        }
    }

    private static AccountMetadata ReadMetadata(JsonFields json) => new()
    {
        Version = json.Number("version", 1),
        DirectoryUrl = json.Url("directoryUrl"),
        AccountUrl = json.OptionalUrl("accountUrl"),
        CreatedAt = json.Instant("createdAt"),
        RegisteredAnew = json.Instants("registeredAnew"),
        KeyReplacedAt = json.OptionalInstant("keyReplacedAt"),
        Voucher = json.OptionalText("voucher"),
        EmailAddress = json.OptionalText("emailAddress"),
    };

    private static void WriteMetadata(Utf8JsonWriter json, AccountMetadata metadata)
    {
        json.WriteNumber("version", metadata.Version);
        json.WriteUrl("directoryUrl", metadata.DirectoryUrl);
        json.WriteUrl("accountUrl", metadata.AccountUrl);
        json.WriteString("createdAt", metadata.CreatedAt);
        json.WriteInstants("registeredAnew", metadata.RegisteredAnew);
        json.WriteInstant("keyReplacedAt", metadata.KeyReplacedAt);
        json.WriteText("voucher", metadata.Voucher);
        json.WriteText("emailAddress", metadata.EmailAddress);
    }

    // The first two readable keys. The CA tells which of them it knows.
    private static AccountRecord? Salvage(ReadOnlySpan<byte> value)
    {
        var keys = new List<string>(2);
        var text = StoredText.Normalize(value);
        foreach (var (label, content) in PemDocumentReader.ReadAny(text))
        {
            if (label == PemDocument.PrivateKeyLabel && keys.Count < 2 && TryReadKey(content) is { } key && !keys.Contains(key))
            {
                keys.Add(key);
            }
        }

        var metadata = new AccountMetadata
        {
            DirectoryUrl = SavedFields.Url(text, "directoryUrl") ?? CertificateMetadata.UnknownUrl,
            CreatedAt = default,
        };
        return keys.Count == 0 ? null : new AccountRecord(keys[0], metadata, keys.ElementAtOrDefault(1)) { IsRepaired = true };
    }

    private static string? TryReadKey(byte[] content)
    {
        try
        {
            return Readable(content);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    // The PEM armor may be intact around a damaged key.
    private static string Readable(byte[] key)
    {
        var pem = PemEncoding.WriteString(PemDocument.PrivateKeyLabel, key);
        using var readable = AccountKey.FromPem(pem);
        return pem;
    }

    private static ReadOnlyMemory<byte> Content(string pem) => Convert.FromBase64String(pem[PemEncoding.Find(pem).Base64Data]);
}
