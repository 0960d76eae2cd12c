using System.Net;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>
/// Queries one address of a name server for a value, and remembers the last result. One caller at a time; others may read the state.
/// </summary>
internal sealed class ServerWatch(
    DnsQueryClient client, TimeProvider time, string serverName, IPEndPoint endPoint, string value, DnsName? zone = null)
{
    private long? _refusingSince;

    public ServerState State { get; private set; }

    public bool IsSilent { get; private set; }

    /// <summary>Whether it has ever responded with authority.</summary>
    public bool WasAuthority { get; private set; }

    /// <summary>The server, its address, and its last result.</summary>
    public string Report { get; private set; } = $"{serverName} ({endPoint}) has not responded yet";

    /// <remarks>A timeout needs no patience: three datagrams were sent, and a TCP connection was tried.</remarks>
    public async Task PollAsync(DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            Judge(await client.QueryAsync(endPoint, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken));
        }
        catch (DnsException exception)
        {
            IsSilent = exception is DnsTimeoutException or DnsTransportException;
            Refuse(exception.Message, givesUp: exception is DnsTimeoutException);
        }
    }

    private void Judge(DnsResponse response)
    {
        IsSilent = false;
        if (response.Code is not (DnsResponseCode.NOERROR or DnsResponseCode.NXDOMAIN))
        {
            Refuse($"responds with {response.Code}", givesUp: false);
        }
        else if (!response.IsAuthoritative)
        {
            Refuse("responds, but without authority: the delegation to it is lame", givesUp: false);
        }
        else if (zone is not null && response.Answers.Count == 0
            && response.Authority.OfType<SoaRecord>().FirstOrDefault() is { } soa && soa.Name != zone)
        {
            // If the answer contains a CNAME, the SOA is that of the zone where the CNAME leads.
            Refuse($"responds with authority for zone {soa.Name} instead", givesUp: false);
        }
        else
        {
            _refusingSince = null;
            WasAuthority = true;
            var values = response.RecordsOf<TxtRecord>();
            State = values.Any(record => record.Text == value) ? ServerState.Visible : ServerState.Pending;
            Say(State == ServerState.Visible ? "shows the record"
                : response.Code == DnsResponseCode.NXDOMAIN ? "says that the name does not exist"
                : values.Count == 0 ? "shows no TXT record" : $"shows {values.Count} other value{(values.Count == 1 ? "" : "s")}");
        }
    }

    private void Refuse(string problem, bool givesUp)
    {
        _refusingSince ??= time.GetTimestamp();
        var isUnusable = givesUp || time.GetElapsedTime(_refusingSince.Value) >= PropagationPolicy.RefusalPatience;
        State = isUnusable ? ServerState.Unusable : ServerState.Pending;
        Say(problem);
    }

    private void Say(string what) => Report = $"{serverName} ({endPoint}): {what}";
}

/// <summary>The state of one address of a name server.</summary>
internal enum ServerState
{
    /// <summary>It has not responded yet, or responds without the value.</summary>
    Pending,

    /// <summary>It responds with the value.</summary>
    Visible,

    /// <summary>It does not respond, or not with authority for the zone. A resolver would try another server.</summary>
    Unusable,
}
