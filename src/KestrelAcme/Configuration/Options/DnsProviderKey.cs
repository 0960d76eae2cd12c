namespace KestrelAcme.Configuration;

/// <summary>A key of one type of DNS provider.</summary>
/// <param name="Name">The key, such as <c>ApiToken</c>.</param>
/// <param name="Required">Whether it must be given.</param>
/// <param name="Secret">Whether its value is a secret: it is then never quoted, and may come as a file in a key whose name ends in <c>File</c>.</param>
public sealed record DnsProviderKey(string Name, bool Required = false, bool Secret = false)
{
    /// <summary>What to write, for messages; such as <c>https://dns.example.com:8081/</c>.</summary>
    /// <value>None.</value>
    public string? Example { get; init; }

    /// <summary>Another key that must be given together with this one.</summary>
    /// <value>None.</value>
    public string? Needs { get; init; }

    /// <summary>Another key that may be given in place of this one, where it is required.</summary>
    /// <value>None.</value>
    public string? Alternative { get; init; }

    /// <summary>Checks a value: <see langword="null"/> when it is good, otherwise what is wrong with it, such as "is not an https URL".</summary>
    /// <value>None: every value is good.</value>
    public Func<string, string?>? Check { get; init; }

    /// <summary>As <see cref="Check"/>, with a fix of its own for each thing that may be wrong.</summary>
    internal Func<string, (string Reason, string Fix)?>? CheckWithFix { get; init; }
}
