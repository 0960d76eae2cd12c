using System.Buffers;
using System.Collections.Concurrent;
using System.Text.Json;
using KestrelAcme.Certificates.Model;
using KestrelAcme.Configuration;
using KestrelAcme.Storage;
using KestrelAcme.Tls;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="CertificateRecord"/>.</summary>
internal static class CertificateFile
{
    private const int MaxChainLength = 20;

    public static byte[] Encode(CertificateRecord record) => PemDocument.Encode(
        JsonFields.Write(record.Metadata, WriteMetadata),
        [.. record.Chain.Select(c => (PemDocument.CertificateLabel, c)), (PemDocument.PrivateKeyLabel, record.PrivateKey)]);

    /// <summary>
    /// Decodes a certificate file. If a chain and a key that belong together can be read, but not the data around them, they are returned
    /// as <see cref="CertificateRecord.Repaired"/>.
    /// </summary>
    /// <param name="value">The stored form.</param>
    /// <param name="shared">The parts that many records share. No second copy of them is made.</param>
    /// <exception cref="DamagedValueException">The value has no certificate with its key.</exception>
    public static CertificateRecord Decode(ReadOnlySpan<byte> value, SharedParts shared)
    {
        try
        {
            return DecodeWhole(value, shared);
        }
        catch (DamagedValueException exception)
        {
            if (CertificateSalvage.TryRead(value, exception.Message) is { } saved)
            {
                return saved with { Metadata = shared.Share(saved.Metadata) };
            }

            throw;
        }
    }

    private static CertificateRecord DecodeWhole(ReadOnlySpan<byte> value, SharedParts shared)
    {
        var document = new PemDocumentReader(value);
        var chain = new List<ReadOnlyMemory<byte>>(2);
        byte[]? key = null;
        while (document.Next())
        {
            if (document.Is(PemDocument.CertificateLabel) && chain.Count < MaxChainLength)
            {
                chain.Add(chain.Count == 0 ? document.Read() : ReadIssuer(document, shared));
            }
            else if (document.Is(PemDocument.PrivateKeyLabel) && key is null)
            {
                key = document.Read();
            }
            else
            {
                throw new DamagedValueException($"an unexpected PEM block '{document.Label}'");
            }
        }

        return chain.Count > 0 && key is not null
            ? new CertificateRecord(chain.ToArray(), key, shared.Share(DecodeMetadata(document.Metadata)))
            : throw new DamagedValueException(chain.Count == 0 ? "it holds no certificate" : "it holds no private key");
    }

    private static CertificateMetadata DecodeMetadata(ReadOnlySpan<byte> json)
    {
        var metadata = StoredJson.Decode(json, ReadMetadata, "its metadata");
        return metadata.Jitter is >= 0 and <= 1
            && metadata.DirectoryUrl.IsAbsoluteUri
            && metadata.AccountUrl.IsAbsoluteUri
            && !metadata.Names.Contains(null)
            ? metadata
            : throw new DamagedValueException("a value in its metadata is out of range");
    }

    private static CertificateMetadata ReadMetadata(JsonFields json) => new()
    {
        Version = json.Number("version", 1),
        Names = json.Texts("names") ?? throw new JsonException("'names' is missing"),
        KeyAlgorithm = json.Text("keyAlgorithm"),
        DirectoryUrl = json.Url("directoryUrl"),
        AccountUrl = json.Url("accountUrl"),
        OrderUrl = json.OptionalText("orderUrl"),
        CertificateUrl = json.OptionalText("certificateUrl"),
        Profile = json.OptionalText("profile"),
        ObtainedAt = json.Instant("obtainedAt"),
        Jitter = json.Fraction("jitter"),
    };

    private static void WriteMetadata(Utf8JsonWriter json, CertificateMetadata metadata)
    {
        json.WriteNumber("version", metadata.Version);
        json.WriteTexts("names", metadata.Names);
        json.WriteString("keyAlgorithm", metadata.KeyAlgorithm);
        json.WriteUrl("directoryUrl", metadata.DirectoryUrl);
        json.WriteUrl("accountUrl", metadata.AccountUrl);
        json.WriteText("orderUrl", metadata.OrderUrl);
        json.WriteText("certificateUrl", metadata.CertificateUrl);
        json.WriteText("profile", metadata.Profile);
        json.WriteString("obtainedAt", metadata.ObtainedAt);
        json.WriteNumber("jitter", metadata.Jitter);
    }

    private static ReadOnlyMemory<byte> ReadIssuer(PemDocumentReader document, SharedParts shared)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(document.Length);
        try
        {
            var issuer = buffer.AsSpan(0, document.Length);
            document.Read(issuer);
            return shared.Intermediates.Share(issuer);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}

/// <summary>
/// Keeps one copy of the parts that many stored certificates share: intermediates, and the URLs of CAs, accounts and revocation lists.
/// </summary>
/// <remarks>Safe for concurrent use.</remarks>
internal sealed class SharedParts
{
    // An operator has a few CAs and accounts. A CA divides its certificates among some hundred lists.
    private const int MaxUrls = 1024;

    private readonly ConcurrentDictionary<string, Uri> _urls = new(StringComparer.Ordinal);

    public IntermediatePool Intermediates { get; } = new();

    public CertificateMetadata Share(CertificateMetadata metadata) => metadata with
    {
        KeyAlgorithm = Enum.TryParse<KeyAlgorithm>(metadata.KeyAlgorithm, out var kind) ? kind.ToString() : metadata.KeyAlgorithm,
        DirectoryUrl = Share(metadata.DirectoryUrl),
        AccountUrl = Share(metadata.AccountUrl),
    };

    public CertificateSnapshot Share(CertificateSnapshot snapshot)
        => snapshot.RevocationListUrl is { } url && Share(url) is var known && !ReferenceEquals(url, known)
            ? snapshot with { RevocationListUrl = known }
            : snapshot;

    private Uri Share(Uri url)
        => _urls.TryGetValue(url.OriginalString, out var known) ? known
            : _urls.Count < MaxUrls ? _urls.GetOrAdd(url.OriginalString, url)
            : url;
}
