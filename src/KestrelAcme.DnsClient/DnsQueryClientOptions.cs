using System.Net;

namespace KestrelAcme.DnsClient;

/// <summary>How a <see cref="DnsQueryClient"/> asks. Read once, when it is made.</summary>
public sealed class DnsQueryClientOptions
{
    /// <summary>The recursive resolvers, asked in this order.</summary>
    /// <value>Empty: those of the system, looked up again as the network changes.</value>
    public IList<IPEndPoint> Resolvers { get; } = [];

    /// <summary>How long to wait for an answer of one server. UDP and TCP each count anew.</summary>
    /// <value>3 seconds; from 1 ms to 5 minutes.</value>
    public TimeSpan Timeout { get; set; } = TimeSpan.FromSeconds(3);

    /// <summary>How many datagrams a question is sent in, spread evenly over <see cref="Timeout"/>, until one is answered; and how often an update is sent.</summary>
    /// <value>3; from 1 to 10.</value>
    public int Attempts { get; set; } = 3;

    internal void Validate()
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Timeout, TimeSpan.FromMilliseconds(1), nameof(Timeout));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Timeout, TimeSpan.FromMinutes(5), nameof(Timeout));
        ArgumentOutOfRangeException.ThrowIfLessThan(Attempts, 1, nameof(Attempts));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(Attempts, 10, nameof(Attempts));
    }
}
