using System.Buffers.Text;
using System.Security.Cryptography;

namespace KestrelAcme.Protocol.Jose;

/// <summary>A symmetric key for HS256 (RFC 7518 section 3.2). Disposing it wipes the key from memory.</summary>
internal sealed class HmacJwsKey : IDisposable
{
    private readonly byte[] _key;
    private volatile bool _disposed;

    public HmacJwsKey(byte[] key)
    {
        _key = key;
    }

    /// <summary>Reads base64url. Plain base64 and padding are accepted, too, because CAs issue both.</summary>
    public static HmacJwsKey FromText(string text)
    {
        var normal = text.Trim().Replace('+', '-').Replace('/', '_').TrimEnd('=');
        byte[] bytes;
        try
        {
            bytes = Base64Url.DecodeFromChars(normal);
        }
        catch (FormatException)
        {
            // No inner exception: its text could quote the key.
            throw new ArgumentException(
                "The HMAC key of the external account binding is not base64url; copy it exactly as the CA shows it.", nameof(text));
        }

        return bytes.Length > 0
            ? new HmacJwsKey(bytes)
            : throw new ArgumentException("The HMAC key of the external account binding is empty.", nameof(text));
    }

    public byte[] Sign(ReadOnlySpan<byte> data)
    {
        ObjectDisposedException.ThrowIf(_disposed, this);
        return HMACSHA256.HashData(_key, data);
    }

    public void Dispose()
    {
        _disposed = true;
        CryptographicOperations.ZeroMemory(_key);
    }
}
