using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace KestrelAcme.DnsClient;

/// <summary>
/// A domain name (RFC 1035 section 3.1): labels of at most 63 octets, at most 255 octets in total. Names are compared without ASCII case
/// and keep the case that they were written in. Immutable and thread-safe.
/// </summary>
public sealed class DnsName : IEquatable<DnsName>
{
    internal const int MaximumLength = 255;
    internal const int MaximumLabelLength = 63;

    private readonly byte[] _wire;

    private DnsName(byte[] wire) => _wire = wire;

    /// <summary>The root of the DNS, written as a single dot.</summary>
    public static DnsName Root { get; } = new([0]);

    /// <summary>Whether this is the root.</summary>
    public bool IsRoot => _wire.Length == 1;

    /// <summary>The number of labels; zero for the root.</summary>
    public int LabelCount
    {
        get
        {
            int count = 0;
            for (int at = 0; _wire[at] != 0; at += _wire[at] + 1)
            {
                count++;
            }

            return count;
        }
    }

    /// <summary>The name without its first label, or null for the root.</summary>
    public DnsName? Parent => IsRoot ? null : new DnsName(_wire[(_wire[0] + 1)..]);

    /// <summary>The name with another label of letters and digits in front, or null if that is too long.</summary>
    internal DnsName? WithLabel(string label) => label.Length + 1 + _wire.Length > MaximumLength
        ? null
        : new DnsName([(byte)label.Length, .. Encoding.ASCII.GetBytes(label), .. _wire]);

    /// <summary>The uncompressed wire form, with the final zero octet.</summary>
    internal ReadOnlySpan<byte> Wire => _wire;

    /// <summary>
    /// Reads a name in presentation form. It is always absolute: a trailing dot makes no difference. <c>\.</c> is a dot inside a label and
    /// <c>\DDD</c> an octet in decimal. Internationalized names must already be A-labels (<c>xn--…</c>).
    /// </summary>
    /// <exception cref="FormatException">The text is not a domain name; the message says why.</exception>
    public static DnsName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return DnsNameText.TryRead(text, out byte[]? wire, out string? problem) ? new DnsName(wire) : throw new FormatException(problem);
    }

    /// <summary>Reads a name as <see cref="Parse"/> does, but returns false instead of throwing.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out DnsName? name)
    {
        name = text is not null && DnsNameText.TryRead(text, out byte[]? wire, out _) ? new DnsName(wire) : null;
        return name is not null;
    }

    /// <summary>Whether this name is <paramref name="ancestor"/> or below it.</summary>
    public bool IsSubdomainOf(DnsName ancestor)
    {
        ArgumentNullException.ThrowIfNull(ancestor);
        int start = _wire.Length - ancestor._wire.Length;
        int at = 0;
        while (at < start)
        {
            at += _wire[at] + 1;
        }

        // A match that does not start at a label is only a textual suffix: notexample.com is not below example.com.
        return at == start && AsciiCase.EqualsIgnoreCase(_wire.AsSpan(start), ancestor._wire);
    }

    /// <inheritdoc />
    public bool Equals(DnsName? other) => other is not null && AsciiCase.EqualsIgnoreCase(_wire, other._wire);

    /// <inheritdoc />
    public override bool Equals(object? obj) => Equals(obj as DnsName);

    /// <inheritdoc />
    public override int GetHashCode()
    {
        var hash = new HashCode();
        hash.AddBytes(ToCanonicalWire());
        return hash.ToHashCode();
    }

    /// <summary>Returns the presentation form without a trailing dot. Everything except plain printable ASCII is escaped.</summary>
    public override string ToString() => DnsNameText.Write(_wire);

    /// <summary>Whether two names are equal, ignoring ASCII case.</summary>
    public static bool operator ==(DnsName? left, DnsName? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether two names differ, ignoring ASCII case.</summary>
    public static bool operator !=(DnsName? left, DnsName? right) => !(left == right);

    /// <summary>Wraps a wire form that has been checked: label lengths, total length, final zero.</summary>
    internal static DnsName FromWire(ReadOnlySpan<byte> wire) => wire.Length == 1 ? Root : new DnsName(wire.ToArray());

    /// <summary>The wire form in lower case, as used in digests (RFC 4034 section 6.2).</summary>
    internal byte[] ToCanonicalWire()
    {
        byte[] canonical = new byte[_wire.Length];
        AsciiCase.ToLower(_wire, canonical);
        return canonical;
    }
}

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
