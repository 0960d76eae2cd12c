using System.Diagnostics.CodeAnalysis;

namespace KestrelAcme.Configuration.Names;

/// <summary>What became of a name that somebody wrote: an identifier, or the reason why not and the fix.</summary>
internal sealed record NameResult
{
    private NameResult(CertificateIdentifier? identifier, string? reason, string? fix)
    {
        Identifier = identifier;
        Reason = reason;
        Fix = fix;
    }

    /// <summary>The identifier, when the name is good.</summary>
    public CertificateIdentifier? Identifier { get; }

    /// <summary>What is wrong, to be read after the name.</summary>
    public string? Reason { get; }

    /// <summary>What to do, a sentence without its full stop.</summary>
    public string? Fix { get; }

    /// <summary>Whether the name is good.</summary>
    [MemberNotNullWhen(true, nameof(Identifier))]
    [MemberNotNullWhen(false, nameof(Reason), nameof(Fix))]
    public bool IsSuccess => Identifier is not null;

    /// <summary>A good name.</summary>
    public static NameResult Success(IdentifierKind kind, string value) => new(new CertificateIdentifier(kind, value), null, null);

    /// <summary>A bad name.</summary>
    public static NameResult Failure(string reason, string fix) => new(null, reason, fix);
}
