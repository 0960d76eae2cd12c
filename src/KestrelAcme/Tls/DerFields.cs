using System.Formats.Asn1;

namespace KestrelAcme.Tls;

/// <summary>The elements of a DER sequence, one after the other.</summary>
internal ref struct DerFields
{
    private ReadOnlySpan<byte> _rest;

    private DerFields(ReadOnlySpan<byte> content) => _rest = content;

    public readonly bool IsEmpty => _rest.IsEmpty;

    /// <summary>Goes into an encoded element.</summary>
    public static DerFields Enter(ReadOnlySpan<byte> element) => new(Content(element, out _, out _));

    /// <summary>The content of an encoded element.</summary>
    public static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> element) => Content(element, out _, out _);

    /// <summary>Returns the next element with its header.</summary>
    /// <exception cref="AsnContentException">There is none, or its encoding is broken.</exception>
    public ReadOnlySpan<byte> Next(out Asn1Tag tag)
    {
        Content(_rest, out tag, out var consumed);
        var element = _rest[..consumed];
        _rest = _rest[consumed..];
        return element;
    }

    private static ReadOnlySpan<byte> Content(ReadOnlySpan<byte> element, out Asn1Tag tag, out int consumed)
    {
        tag = AsnDecoder.ReadEncodedValue(element, AsnEncodingRules.DER, out var offset, out var length, out consumed);
        return element.Slice(offset, length);
    }
}
