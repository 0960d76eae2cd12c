using System.Net;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>Looks for a value at one address of a name server, and remembers what it said last. One caller at a time; its state may be read by others.</summary>
internal sealed class ServerWatch(
    DnsQueryClient requestor, TimeProvider time, string serverName, IPEndPoint endPoint, string value, DnsName? zone = null)
{
    private long? _refusingSince;

    public ServerState State { get; private set; }

    public bool IsSilent { get; private set; }

    /// <summary>Whether it ever answered as an authority.</summary>
    public bool WasAuthority { get; private set; }

    /// <summary>The server, its address, and what it said last.</summary>
    public string Report { get; private set; } = $"{serverName} ({endPoint}) was not heard of";

    /// <remarks>Silence was waited for already: three datagrams went out, and a connection was tried.</remarks>
    public async Task PollAsync(DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            Judge(await requestor.QueryAsync(endPoint, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken));
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
            Refuse($"answers {response.Code}", givesUp: false);
        }
        else if (!response.IsAuthoritative)
        {
            Refuse("answers, but not as an authority: the delegation to it is lame", givesUp: false);
        }
        else if (zone is not null && response.Answers.Count == 0
            && response.Authority.OfType<SoaRecord>().FirstOrDefault() is { } soa && soa.Name != zone)
        {
            // With a CNAME in the answer, the SOA is that of the zone where it leads.
            Refuse($"answers as an authority of zone {soa.Name} instead", givesUp: false);
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
        State = givesUp || time.GetElapsedTime(_refusingSince.Value) >= PropagationPolicy.RefusalPatience ? ServerState.Unusable : ServerState.Pending;
        Say(problem);
    }

    private void Say(string what) => Report = $"{serverName} ({endPoint}): {what}";
}

/// <summary>What is known of one address of a name server.</summary>
internal enum ServerState
{
    /// <summary>It was not heard of yet, or answers without the value.</summary>
    Pending,

    /// <summary>It answers with the value.</summary>
    Visible,

    /// <summary>It is silent, or does not answer as an authority for the zone: a resolver would go on to another one.</summary>
    Unusable,
}
