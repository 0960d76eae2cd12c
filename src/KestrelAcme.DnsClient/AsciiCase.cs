namespace KestrelAcme.DnsClient;

/// <summary>
/// Compares and converts the case of ASCII letters. Label lengths are below 64 and letters above, so a whole wire-form name can be treated
/// at once. The framework's Ascii class does not fit: it treats octets above 127 as always different.
/// </summary>
internal static class AsciiCase
{
    public static bool EqualsIgnoreCase(ReadOnlySpan<byte> left, ReadOnlySpan<byte> right)
    {
        if (left.Length != right.Length)
        {
            return false;
        }

        for (int i = 0; i < left.Length; i++)
        {
            if (ToLower(left[i]) != ToLower(right[i]))
            {
                return false;
            }
        }

        return true;
    }

    public static void ToLower(ReadOnlySpan<byte> source, Span<byte> target)
    {
        for (int i = 0; i < source.Length; i++)
        {
            target[i] = ToLower(source[i]);
        }
    }

    private static byte ToLower(byte octet) => octet is >= (byte)'A' and <= (byte)'Z' ? (byte)(octet | 0x20) : octet;
}
