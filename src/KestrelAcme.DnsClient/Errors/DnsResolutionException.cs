namespace KestrelAcme.DnsClient.Errors;

/// <summary>No resolver gave an answer. That a name or a type does not exist is an answer, and no exception.</summary>
public sealed class DnsResolutionException : DnsException
{
    internal DnsResolutionException(DnsName name, DnsRecordType type, IReadOnlyList<DnsServerFailure> failures)
        : base($"No resolver answered for {name} {type}: {string.Join("; ", failures.Select(failure => failure.Problem))}")
    {
        Name = name;
        Type = type;
        Failures = failures;
    }

    /// <summary>The name asked for.</summary>
    public DnsName Name { get; }

    /// <summary>The type asked for.</summary>
    public DnsRecordType Type { get; }

    /// <summary>What each server said last, in the order in which they were first asked.</summary>
    public IReadOnlyList<DnsServerFailure> Failures { get; }
}
