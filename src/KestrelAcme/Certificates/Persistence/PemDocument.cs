using System.Security.Cryptography;
using System.Text;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>A line of JSON, then PEM blocks: one file that a person can read and openssl can use as it is.</summary>
/// <param name="Metadata">The JSON.</param>
/// <param name="Blocks">The labels and contents of the blocks, in order.</param>
internal sealed record PemDocument(string Metadata, IReadOnlyList<(string Label, byte[] Content)> Blocks)
{
    public const string CertificateLabel = "CERTIFICATE";
    public const string PrivateKeyLabel = "PRIVATE KEY";

    private const string Prefix = "KestrelAcme-Metadata: ";
    private const int MaxBlocks = 32;

    public byte[] Encode()
    {
        var text = new StringBuilder(Prefix).Append(Metadata).Append('\n');
        foreach (var (label, content) in Blocks)
        {
            text.Append(PemEncoding.Write(label, content)).Append('\n');
        }

        return Encoding.UTF8.GetBytes(text.ToString());
    }

    /// <exception cref="DamagedValueException">The value is not such a document.</exception>
    public static PemDocument Decode(ReadOnlySpan<byte> value)
    {
        var text = Encoding.UTF8.GetString(value);
        var end = text.IndexOf('\n', StringComparison.Ordinal);
        if (end < 0 || !text.StartsWith(Prefix, StringComparison.Ordinal))
        {
            throw new DamagedValueException("its first line is not metadata");
        }

        return new PemDocument(text[Prefix.Length..end].Trim(), DecodeBlocks(text.AsSpan(end)));
    }

    public override string ToString() => $"{Blocks.Count} PEM blocks";

    private static List<(string Label, byte[] Content)> DecodeBlocks(ReadOnlySpan<char> text)
    {
        var blocks = new List<(string, byte[])>();
        while (PemEncoding.TryFind(text, out var fields))
        {
            var content = new byte[fields.DecodedDataLength];
            if (blocks.Count == MaxBlocks || !Convert.TryFromBase64Chars(text[fields.Base64Data], content, out var written) || written != content.Length)
            {
                throw new DamagedValueException("its PEM blocks cannot be read");
            }

            blocks.Add((text[fields.Label].ToString(), content));
            text = text[fields.Location.End..];
        }

        // A block that was cut off is not found above: its missing end must not pass for a shorter file.
        return text.Contains("-----BEGIN", StringComparison.Ordinal)
            ? throw new DamagedValueException("a PEM block is cut off")
            : blocks;
    }
}
