namespace KestrelAcme.Protocol.Transport;

/// <summary>One request to a server: what for, where, and whether it may be repeated when its answer was lost.</summary>
internal sealed record AcmeCall(string Operation, Uri Url)
{
    /// <summary>Whether a second copy does no harm. A new order or a finalization is not: the first copy may have taken effect.</summary>
    public bool IsRepeatable { get; init; } = true;

    /// <summary>Whether a redirect is an answer that the caller deals with.</summary>
    public bool TakesRedirects { get; init; }

    /// <summary>Whether it changes anything at the server; a nonce does not.</summary>
    public bool HasEffect { get; init; } = true;

    /// <summary>Which limit of the server it counts against.</summary>
    public AcmeRequestKind Kind { get; init; }

    public string Accept { get; init; } = "application/json";

    /// <summary>What the operator may do, put at the end of messages.</summary>
    public string? Hint { get; init; }
}
