using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>A line of JSON, then PEM blocks: one file that a person can read and openssl can use as it is.</summary>
/// <param name="Metadata">The JSON, in UTF-8.</param>
/// <param name="Blocks">The labels and contents of the blocks, in order.</param>
internal sealed record PemDocument(ReadOnlyMemory<byte> Metadata, IReadOnlyList<(string Label, byte[] Content)> Blocks)
{
    public const string CertificateLabel = "CERTIFICATE";
    public const string PrivateKeyLabel = "PRIVATE KEY";

    private const int MaxBlocks = 32;

    private static ReadOnlySpan<byte> Prefix => "KestrelAcme-Metadata: "u8;

    public byte[] Encode()
    {
        var text = new StringBuilder(Encoding.UTF8.GetString(Prefix)).Append(Encoding.UTF8.GetString(Metadata.Span)).Append('\n');
        foreach (var (label, content) in Blocks)
        {
            text.Append(PemEncoding.Write(label, content)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <summary>Reads a document from its bytes: ten thousand of them are read at a start, and the detour over strings would cost more than the rest.</summary>
    /// <exception cref="DamagedValueException">The value is not such a document.</exception>
    public static PemDocument Decode(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)'\n');
        if (end < 0 || !value.StartsWith(Prefix))
        {
            throw new DamagedValueException("its first line is not metadata");
        }

        return new PemDocument(value[Prefix.Length..end].ToArray(), DecodeBlocks(value[end..]));
    }

    public override string ToString() => $"{Blocks.Count} PEM blocks";

    private static List<(string Label, byte[] Content)> DecodeBlocks(ReadOnlySpan<byte> text)
    {
        var blocks = new List<(string, byte[])>(4);
        while (PemEncoding.TryFindUtf8(text, out var fields))
        {
            var content = new byte[fields.DecodedDataLength];
            if (blocks.Count == MaxBlocks
                || Base64.DecodeFromUtf8(text[fields.Base64Data], content, out _, out var written) != System.Buffers.OperationStatus.Done
                || written != content.Length)
            {
                throw new DamagedValueException("its PEM blocks cannot be read");
            }

            blocks.Add((Label(text[fields.Label]), content));
            text = text[fields.Location.End..];
        }

        // A block that was cut off is not found above: its missing end must not pass for a shorter file.
        return text.IndexOf("-----BEGIN"u8) >= 0
            ? throw new DamagedValueException("a PEM block is cut off")
            : blocks;
    }

    private static string Label(ReadOnlySpan<byte> label)
        => label.SequenceEqual("CERTIFICATE"u8) ? CertificateLabel : label.SequenceEqual("PRIVATE KEY"u8) ? PrivateKeyLabel : Encoding.UTF8.GetString(label);
}
