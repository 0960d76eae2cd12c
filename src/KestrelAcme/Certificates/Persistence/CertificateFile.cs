using System.Text.Json;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>The stored form of a <see cref="CertificateRecord"/>.</summary>
internal static class CertificateFile
{
    private const int MaxChainLength = 20;

    public static byte[] Encode(CertificateRecord record)
    {
        var blocks = record.Chain.Select(c => (PemDocument.CertificateLabel, c.ToArray())).ToList();
        blocks.Add((PemDocument.PrivateKeyLabel, record.PrivateKey.ToArray()));
        return new PemDocument(JsonSerializer.SerializeToUtf8Bytes(record.Metadata, PersistenceJsonContext.Default.CertificateMetadata), blocks).Encode();
    }

    /// <exception cref="DamagedValueException">The value is not a certificate file.</exception>
    public static CertificateRecord Decode(ReadOnlySpan<byte> value)
    {
        var document = PemDocument.Decode(value);
        var chain = new List<ReadOnlyMemory<byte>>();
        byte[]? key = null;
        foreach (var (label, content) in document.Blocks)
        {
            switch (label)
            {
                case PemDocument.CertificateLabel when chain.Count < MaxChainLength:
                    chain.Add(content);
                    break;
                case PemDocument.PrivateKeyLabel when key is null:
                    key = content;
                    break;
                default:
                    throw new DamagedValueException($"an unexpected PEM block '{label}'");
            }
        }

        return chain.Count > 0 && key is not null
            ? new CertificateRecord(chain, key, StoredJson.Decode(document.Metadata.Span, PersistenceJsonContext.Default.CertificateMetadata, "its metadata"))
            : throw new DamagedValueException(chain.Count == 0 ? "it holds no certificate" : "it holds no private key");
    }
}
