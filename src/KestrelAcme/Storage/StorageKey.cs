using System.Security.Cryptography;
using System.Text;
using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>The rules for keys of an <see cref="IAcmeStorage"/>.</summary>
public static class StorageKey
{
    /// <summary>The maximum length of a key, in characters.</summary>
    public const int MaxLength = 400;

    /// <summary>The maximum length of a segment, in characters. All common file systems support file names of this length.</summary>
    public const int MaxSegmentLength = 200;

    /// <summary>The maximum length of a value, in bytes: 16 MiB.</summary>
    public const int MaxValueLength = 16 * 1024 * 1024;

    /// <summary>Whether a text is a valid key.</summary>
    public static bool IsValid(ReadOnlySpan<char> key)
    {
        if (key.IsEmpty || key.Length > MaxLength)
        {
            return false;
        }

        foreach (var range in key.Split('/'))
        {
            if (!IsValidSegment(key[range]))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>Throws if a key is not valid.</summary>
    /// <exception cref="ArgumentException">The key is not valid.</exception>
    public static void ThrowIfInvalid(string key)
    {
        if (!IsValid(key))
        {
            throw new ArgumentException(
                $"'{QuotedText.Of(key, QuotedText.MaxNameLength)}' is not a storage key: use segments of a-z, 0-9, '.', '_', '-' and '+', "
                + $"separated by '/', at most {MaxLength} characters.",
                nameof(key));
        }
    }

    /// <summary>Throws if a prefix is neither empty nor a valid key followed by <c>/</c>.</summary>
    /// <exception cref="ArgumentException">The prefix is not valid.</exception>
    public static void ThrowIfInvalidPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 0 && !(prefix.EndsWith('/') && IsValid(prefix.AsSpan(0, prefix.Length - 1))))
        {
            throw new ArgumentException(
                $"'{QuotedText.Of(prefix, QuotedText.MaxNameLength)}' is not a prefix of storage keys: it must be empty or end with '/'.",
                nameof(prefix));
        }
    }

    /// <summary>Throws if a value is larger than <see cref="MaxValueLength"/>.</summary>
    /// <exception cref="ArgumentException">The value is too large.</exception>
    public static void ThrowIfTooLong(ReadOnlyMemory<byte> value)
    {
        if (value.Length > MaxValueLength)
        {
            throw new ArgumentException(
                $"A value of {value.Length} bytes exceeds the limit of {MaxValueLength} bytes for stored values.", nameof(value));
        }
    }

    /// <summary>Returns the SHA-256 hash of a text, which may not be valid as a segment, in lower-case hexadecimal.</summary>
    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    private static bool IsValidSegment(ReadOnlySpan<char> segment)
    {
        if (segment.IsEmpty || segment.Length > MaxSegmentLength || segment is "." or "..")
        {
            return false;
        }

        foreach (var c in segment)
        {
            if (!(char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '.' or '_' or '-' or '+'))
            {
                return false;
            }
        }

        return true;
    }
}
