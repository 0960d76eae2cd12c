namespace KestrelAcme.Protocol.Identifiers;

/// <summary>An identifier as it is on the wire.</summary>
internal sealed class IdentifierDocument
{
    public string? Type { get; init; }

    public string? Value { get; init; }
}
