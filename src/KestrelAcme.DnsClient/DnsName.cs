using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace KestrelAcme.DnsClient;

/// <summary>
/// A domain name (RFC 1035 section 3.1): labels of at most 63 octets, at most 255 octets in all. Names are equal without regard to
/// ASCII case and keep the case they were written in. Immutable, so safe to share between threads.
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

    /// <summary>How many labels the name has; the root has none.</summary>
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

    /// <summary>The name with one more label of plain letters and digits in front, or null where that is too long.</summary>
    internal DnsName? WithLabel(string label) => label.Length + 1 + _wire.Length > MaximumLength
        ? null
        : new DnsName([(byte)label.Length, .. Encoding.ASCII.GetBytes(label), .. _wire]);

    /// <summary>The uncompressed wire form, with the final zero octet.</summary>
    internal ReadOnlySpan<byte> Wire => _wire;

    /// <summary>
    /// Reads a name in presentation form, always taken as absolute: a dot at the end makes no difference. <c>\.</c> is a dot inside a
    /// label, <c>\DDD</c> an octet in decimal. International names must already be A-labels (<c>xn--…</c>).
    /// </summary>
    /// <exception cref="FormatException">The text is no domain name; the message says why.</exception>
    public static DnsName Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        return DnsNameText.TryRead(text, out byte[]? wire, out string? problem) ? new DnsName(wire) : throw new FormatException(problem);
    }

    /// <summary>Reads a name as <see cref="Parse"/> does, and returns false where that would throw.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, [NotNullWhen(true)] out DnsName? name)
    {
        name = text is not null && DnsNameText.TryRead(text, out byte[]? wire, out _) ? new DnsName(wire) : null;
        return name is not null;
    }

    /// <summary>Whether this name is <paramref name="ancestor"/> itself or lies below it.</summary>
    public bool IsSubdomainOf(DnsName ancestor)
    {
        ArgumentNullException.ThrowIfNull(ancestor);
        int start = _wire.Length - ancestor._wire.Length;
        int at = 0;
        while (at < start)
        {
            at += _wire[at] + 1;
        }

        // A match that does not begin at a label's start is only a suffix of text: notexample.com is not below example.com.
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

    /// <summary>The name in presentation form without a dot at the end; whatever is not plain printable ASCII is escaped.</summary>
    public override string ToString() => DnsNameText.Write(_wire);

    /// <summary>Whether two names are the same, ASCII case aside.</summary>
    public static bool operator ==(DnsName? left, DnsName? right) => left is null ? right is null : left.Equals(right);

    /// <summary>Whether two names differ, ASCII case aside.</summary>
    public static bool operator !=(DnsName? left, DnsName? right) => !(left == right);

    /// <summary>Takes over a wire form that has been checked: label lengths, total length, final zero.</summary>
    internal static DnsName FromWire(ReadOnlySpan<byte> wire) => wire.Length == 1 ? Root : new DnsName(wire.ToArray());

    /// <summary>The wire form in lower case, as digests take it (RFC 4034 section 6.2).</summary>
    internal byte[] ToCanonicalWire()
    {
        byte[] canonical = new byte[_wire.Length];
        AsciiCase.ToLower(_wire, canonical);
        return canonical;
    }
}
