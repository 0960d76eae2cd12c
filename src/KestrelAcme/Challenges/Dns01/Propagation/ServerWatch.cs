using System.Net;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>Looks for a value at one address of a name server, and remembers what it said last. One caller at a time; its state may be read by others.</summary>
internal sealed class ServerWatch(DnsRequestor requestor, string serverName, IPEndPoint endPoint, string value)
{
    // One SERVFAIL may come of a zone that is being loaded.
    private const int RefusalsToGiveUp = 2;

    private int _refusals;

    public ServerState State { get; private set; }

    public bool IsSilent { get; private set; }

    /// <summary>The server, its address, and what it said last.</summary>
    public string Report { get; private set; } = $"{serverName} ({endPoint}) was not heard of";

    /// <remarks>
    /// A server that was silent for another order a short while ago is asked once, with the ordinary time-out (3 s; otherwise twice, 6 s). Less would take a slow server for a dead one, and the authority
    /// could meet it without the record: a validation that fails costs more than seconds, which pass while the other servers are asked.
    /// </remarks>
    public async Task PollAsync(DnsName name, CancellationToken cancellationToken)
    {
        try
        {
            Judge(await requestor.QueryAsync(endPoint, name, DnsRecordType.TXT, recursionDesired: false, cancellationToken));
        }
        catch (DnsException exception)
        {
            IsSilent = exception is DnsTimeoutException or DnsTransportException;
            Refuse(exception.Message, givesUp: IsSilent);
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
        else
        {
            _refusals = 0;
            var values = response.RecordsOf<TxtRecord>();
            State = values.Any(record => record.Text == value) ? ServerState.Visible : ServerState.Pending;
            Say(State == ServerState.Visible ? "shows the record"
                : response.Code == DnsResponseCode.NXDOMAIN ? "says that the name does not exist"
                : values.Count == 0 ? "shows no TXT record" : $"shows {values.Count} other value{(values.Count == 1 ? "" : "s")}");
        }
    }

    private void Refuse(string problem, bool givesUp)
    {
        State = givesUp || ++_refusals >= RefusalsToGiveUp ? ServerState.Unusable : ServerState.Pending;
        Say(problem);
    }

    private void Say(string what) => Report = $"{serverName} ({endPoint}): {what}";
}
