using System.Net;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;

namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>Looks for a value at one address of a name server, and remembers what it said last. One caller at a time; its state may be read by others.</summary>
internal sealed class ServerWatch(DnsRequestor requestor, string serverName, IPEndPoint endPoint, string value, TimeProvider time)
{
    // A server that was silent for another order is asked again, but an order is not held up for it once more.
    private static readonly TimeSpan SecondChance = TimeSpan.FromSeconds(0.5);

    // One SERVFAIL may come of a zone that is being loaded.
    private const int RefusalsToGiveUp = 2;

    private bool _wasAsked;
    private int _refusals;

    public ServerState State { get; private set; }

    public bool IsSilent { get; private set; }

    /// <summary>The server, its address, and what it said last.</summary>
    public string Report { get; private set; } = $"{serverName} ({endPoint}) was not heard of";

    public async Task PollAsync(DnsName name, CancellationToken cancellationToken)
    {
        var first = !_wasAsked;
        _wasAsked = true;
        using var limit = new CancellationTokenSource(first && requestor.IsSilent(endPoint) ? SecondChance : Timeout.InfiniteTimeSpan, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            Judge(await requestor.QueryAsync(endPoint, name, DnsRecordType.TXT, recursionDesired: false, both.Token));
        }
        catch (DnsException exception)
        {
            IsSilent = exception is DnsTimeoutException or DnsTransportException;
            Refuse(exception.Message, givesUp: IsSilent);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            IsSilent = true;
            Refuse($"was silent a short while ago, and did not answer within {SecondChance.TotalSeconds:0.0} s now", givesUp: true);
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
