using KestrelAcme.Diagnostics;

namespace KestrelAcme.Storage;

/// <summary>The rules that every key of an <see cref="IAcmeStorage"/> follows.</summary>
public static class StorageKey
{
    /// <summary>The longest key, in characters.</summary>
    public const int MaxLength = 400;

    /// <summary>The longest segment of a key, in characters: a file name on every common file system.</summary>
    public const int MaxSegmentLength = 200;

    /// <summary>The largest value, in bytes: 16 MiB.</summary>
    public const int MaxValueLength = 16 * 1024 * 1024;

    /// <summary>Whether a text is a well-formed key.</summary>
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

    /// <summary>Throws unless the key is well formed.</summary>
    /// <exception cref="ArgumentException">The key is not well formed.</exception>
    public static void ThrowIfInvalid(string key)
    {
        if (!IsValid(key))
        {
            throw new ArgumentException($"'{QuotedText.Of(key, QuotedText.MaxNameLength)}' is not a storage key: segments of a-z, 0-9, '.', '_', '-' and '+', divided by '/', at most {MaxLength} characters.", nameof(key));
        }
    }

    /// <summary>Throws unless a prefix is empty, or a well-formed key followed by <c>/</c>.</summary>
    /// <exception cref="ArgumentException">The prefix is not well formed.</exception>
    public static void ThrowIfInvalidPrefix(string prefix)
    {
        ArgumentNullException.ThrowIfNull(prefix);
        if (prefix.Length > 0 && !(prefix.EndsWith('/') && IsValid(prefix.AsSpan(0, prefix.Length - 1))))
        {
            throw new ArgumentException($"'{QuotedText.Of(prefix, QuotedText.MaxNameLength)}' is not a prefix of storage keys: it is empty, or ends with '/'.", nameof(prefix));
        }
    }

    /// <summary>Throws when a value is larger than <see cref="MaxValueLength"/>.</summary>
    /// <exception cref="ArgumentException">The value is too large.</exception>
    public static void ThrowIfTooLong(ReadOnlyMemory<byte> value)
    {
        if (value.Length > MaxValueLength)
        {
            throw new ArgumentException($"A value of {value.Length} bytes is larger than the {MaxValueLength} bytes that a store takes.", nameof(value));
        }
    }

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
