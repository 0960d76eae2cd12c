namespace KestrelAcme.Challenges.Dns01;

/// <summary>One value of a TXT record set. Names are A-labels in lower case, absolute, without a dot at the end.</summary>
public sealed record DnsTxtRecord
{
    /// <summary>The zone that holds the record, as DNS shows it: the closest name at or above <see cref="Name"/> with an SOA.</summary>
    public required string Zone { get; init; }

    /// <summary>The name of the record: where the CNAMEs of <see cref="ChallengeName"/> end.</summary>
    public required string Name { get; init; }

    /// <summary>The name that the authority asks for, such as <c>_acme-challenge.www.example.com</c>. The same as <see cref="Name"/> unless CNAMEs lead elsewhere.</summary>
    public required string ChallengeName { get; init; }

    /// <summary>The value: printable ASCII without quotes and backslashes, at most 255 characters.</summary>
    public required string Value { get; init; }

    /// <summary>How long resolvers may keep it. A provider with a greater minimum uses that.</summary>
    /// <value>60 seconds.</value>
    public TimeSpan TimeToLive { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Returns the name and the zone.</summary>
    public override string ToString() => $"TXT {Name} in zone {Zone}";
}
