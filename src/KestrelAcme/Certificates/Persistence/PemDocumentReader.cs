using System.Buffers;
using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Certificates.Model;

namespace KestrelAcme.Certificates.Persistence;

/// <summary>
/// Reads a <see cref="PemDocument"/> block by block from its bytes. Startup may read ten thousand of them, so the reader avoids strings and
/// copies.
/// </summary>
internal ref struct PemDocumentReader
{
    private const int MaxBlocks = 32;

    private ReadOnlySpan<byte> _rest;
    private ReadOnlySpan<byte> _label;
    private ReadOnlySpan<byte> _base64;
    private int _count;

    /// <exception cref="DamagedValueException">The value is not such a document.</exception>
    public PemDocumentReader(ReadOnlySpan<byte> value)
    {
        var end = value.IndexOf((byte)'\n');
        if (end < 0 || !value.StartsWith(PemDocument.Prefix))
        {
            throw new DamagedValueException("its first line is not metadata");
        }

        Metadata = value[PemDocument.Prefix.Length..end];
        _rest = value[end..];
    }

    /// <summary>Reads every block that can be read, wherever it is in a damaged text.</summary>
    public static List<(string Label, byte[] Content)> ReadAny(ReadOnlySpan<byte> text)
    {
        var blocks = new List<(string, byte[])>();
        while (blocks.Count < MaxBlocks && PemEncoding.TryFindUtf8(text, out var fields))
        {
            var content = new byte[fields.DecodedDataLength];
            if (Base64.DecodeFromUtf8(text[fields.Base64Data], content, out _, out var written) == OperationStatus.Done
                && written == content.Length)
            {
                blocks.Add((Encoding.UTF8.GetString(text[fields.Label]), content));
            }

            text = text[fields.Location.End..];
        }

        return blocks;
    }

    /// <summary>The JSON, in UTF-8.</summary>
    public ReadOnlySpan<byte> Metadata { get; }

    /// <summary>The label of the current block, for messages.</summary>
    public readonly string Label => Encoding.UTF8.GetString(_label);

    /// <summary>The number of bytes in the current block.</summary>
    public int Length { get; private set; }

    /// <summary>Moves to the next block.</summary>
    /// <exception cref="DamagedValueException">There are too many blocks, or the last one is cut off.</exception>
    public bool Next()
    {
        if (!PemEncoding.TryFindUtf8(_rest, out var fields))
        {
            // A block that is cut off is not found. It must not be mistaken for the end of a shorter file.
            return _rest.IndexOf("-----BEGIN"u8) >= 0 ? throw new DamagedValueException("a PEM block is cut off") : false;
        }

        if (++_count > MaxBlocks)
        {
            throw new DamagedValueException("it has too many PEM blocks");
        }

        _label = _rest[fields.Label];
        _base64 = _rest[fields.Base64Data];
        Length = fields.DecodedDataLength;
        _rest = _rest[fields.Location.End..];
        return true;
    }

    /// <summary>Whether the current block has a label.</summary>
    public readonly bool Is(string label) => Ascii.Equals(_label, label);

    /// <summary>Returns the contents of the current block.</summary>
    /// <exception cref="DamagedValueException">It cannot be read.</exception>
    public readonly byte[] Read()
    {
        var content = new byte[Length];
        Read(content);
        return content;
    }

    /// <summary>Copies the contents of the current block to a buffer of exactly its length.</summary>
    /// <exception cref="DamagedValueException">It cannot be read.</exception>
    public readonly void Read(Span<byte> content)
    {
        if (Base64.DecodeFromUtf8(_base64, content, out _, out var written) != OperationStatus.Done || written != content.Length)
        {
            throw new DamagedValueException("its PEM blocks cannot be read");
        }
    }
}

/// <summary>
/// A line of JSON followed by PEM blocks: a file that people can read and that OpenSSL can use as it is. Decoded by
/// <see cref="PemDocumentReader"/>.
/// </summary>
internal static class PemDocument
{
    public const string CertificateLabel = "CERTIFICATE";
    public const string PrivateKeyLabel = "PRIVATE KEY";

    /// <summary>The text that each document begins with.</summary>
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
