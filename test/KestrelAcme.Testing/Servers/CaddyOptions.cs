namespace KestrelAcme.Testing.Servers;

/// <summary>How to start a <see cref="CaddyAcmeServer"/>.</summary>
public sealed record CaddyOptions
{
    /// <summary>
    /// Names that it shall resolve to 127.0.0.1, besides localhost and the machine's own. They are put into a hosts file that it alone
    /// sees: that takes root and the right to make a mount namespace, and skips the running test where there is none.
    /// <value>None</value>
    /// </summary>
    public IReadOnlyList<string> HostNames { get; init; } = [];
}
