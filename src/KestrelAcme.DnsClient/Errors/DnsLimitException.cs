namespace KestrelAcme.DnsClient.Errors;

/// <summary>
/// A look-up was given up because it took too long or needed too many questions, as a hostile or broken zone can make it.
/// </summary>
public sealed class DnsLimitException : DnsException
{
    internal DnsLimitException(DnsName name, string limit, bool wasAnswered)
        : base($"The look-up of {name} was given up: {limit}.")
    {
        Name = name;
        WasAnswered = wasAnswered;
    }

    /// <summary>The name or zone looked for.</summary>
    public DnsName Name { get; }

    /// <summary>
    /// Whether the resolvers answered at least one of the questions: then it is the name that is slow, not the way to the resolvers.
    /// </summary>
    public bool WasAnswered { get; }
}
