using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>A line of JSON, then PEM blocks: one file that a person can read and openssl can use as it is. <see cref="PemDocumentReader"/> reads it back.</summary>
internal static class PemDocument
{
    public const string CertificateLabel = "CERTIFICATE";
    public const string PrivateKeyLabel = "PRIVATE KEY";

    /// <summary>What a document begins with.</summary>
    public static ReadOnlySpan<byte> Prefix => "KestrelAcme-Metadata: "u8;

    /// <param name="metadata">The JSON, in UTF-8.</param>
    /// <param name="blocks">The labels and contents of the blocks, in order.</param>
    public static byte[] Encode(ReadOnlySpan<byte> metadata, IEnumerable<(string Label, ReadOnlyMemory<byte> Content)> blocks)
    {
        var text = new StringBuilder(Encoding.UTF8.GetString(Prefix)).Append(Encoding.UTF8.GetString(metadata)).Append('\n');
        foreach (var (label, content) in blocks)
        {
            text.Append(PemEncoding.Write(label, content.Span)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }
}
