using KestrelAcme.Configuration;
using KestrelAcme.Diagnostics;
using KestrelAcme.DnsClient;
using KestrelAcme.DnsClient.Errors;
using KestrelAcme.DnsClient.Records;
using Microsoft.Extensions.Logging;

namespace KestrelAcme.Challenges.Dns01.Propagation;

/// <summary>Waits until a record is visible: at every name server of its zone, asked directly, or at the resolvers.</summary>
internal sealed class PropagationWait(DnsAccess dns, TimeProvider time, ILogger<PropagationWait> logger)
{
    /// <exception cref="ChallengeException">The record did not become visible in time; the message says where it is missing.</exception>
    public async Task RunAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var specification = prepared.Provider.Specification;
        await (specification.PropagationCheck == DnsPropagationCheck.Resolvers
            ? AskResolversAsync(prepared, cancellationToken)
            : AskServersAsync(prepared, cancellationToken));

        var rest = specification.MinimumWait - time.GetElapsedTime(prepared.CreatedAt);
        if (rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, time, cancellationToken);
        }
    }

    /// <summary>Asks each server once, and says what it shows.</summary>
    public async Task<string> DescribeAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var watches = Watch(prepared);
        await Task.WhenAll(watches.Select(watch => watch.PollAsync(prepared.Place.Name, cancellationToken)));
        var seen = watches.Length > 0 ? string.Join("; ", watches.Select(w => w.Report)) : (await AskResolverAsync(prepared, cancellationToken)).Report;
        return $"From here, the TXT record {prepared.Record.Name} in zone {prepared.Record.Zone} looks so: {seen}.";
    }

    private ServerWatch[] Watch(PreparedRecord prepared)
    {
        var requestor = dns.Requestor;
        return
        [
            .. from server in prepared.Place.Servers
               from endPoint in server.EndPoints.Distinct()
               select new ServerWatch(requestor, time, server.Name.ToString(), endPoint, prepared.Record.Value),
        ];
    }

    private async Task AskServersAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var (place, specification) = (prepared.Place, prepared.Provider.Specification);
        var watches = Watch(prepared);
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var polling = Task.WhenAll(watches.Select(watch => PollAsync(watch, place.Name, Look, stop.Token)));
        try
        {
            var waiting = done.Task.WaitAsync(specification.PropagationTimeout, time, cancellationToken);
            await await Task.WhenAny(waiting, polling);
            await waiting;
        }
        catch (TimeoutException)
        {
            throw TimedOut(prepared, string.Join("; ", watches.Where(w => w.State != ServerState.Visible).Select(w => w.Report)), watches.All(w => w.IsSilent));
        }
        finally
        {
            await stop.CancelAsync();
            await polling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        Report(prepared, watches);

        void Look()
        {
            if (PropagationPolicy.IsVisible(watches.Select(w => w.State), specification.RequireEveryServer))
            {
                done.TrySetResult();
            }
        }
    }

    private async Task PollAsync(ServerWatch watch, DnsName name, Action looked, CancellationToken cancellationToken)
    {
        var start = time.GetTimestamp();
        while (true)
        {
            await watch.PollAsync(name, cancellationToken);
            looked();
            if (watch.State == ServerState.Visible)
            {
                return;
            }

            await Task.Delay(PropagationPolicy.NextPause(time.GetElapsedTime(start)), time, cancellationToken);
        }
    }

    private async Task AskResolversAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var timeout = prepared.Provider.Specification.PropagationTimeout;
        using var limit = new CancellationTokenSource(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var start = time.GetTimestamp();
        var last = "no resolver was heard of";
        try
        {
            while (true)
            {
                (var visible, last) = await AskResolverAsync(prepared, both.Token);
                if (visible)
                {
                    logger.DnsRecordVisible(prepared.Record.Name, last, time.GetElapsedTime(prepared.CreatedAt).TotalSeconds);
                    return;
                }

                await Task.Delay(PropagationPolicy.NextPause(time.GetElapsedTime(start)), time, both.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw TimedOut(prepared, last, silent: false);
        }
    }

    private async Task<(bool Visible, string Report)> AskResolverAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Requestor.ResolveAsync(prepared.Place.Name, DnsRecordType.TXT, cancellationToken);
            var values = response.RecordsOf<TxtRecord>();
            return values.Any(record => record.Text == prepared.Record.Value)
                ? (true, $"the resolver {response.Server}")
                : (false, $"the resolver {response.Server} answers {response.Code} with {values.Count} other values");
        }
        catch (DnsException exception)
        {
            return (false, exception.Message);
        }
    }

    private void Report(PreparedRecord prepared, ServerWatch[] watches)
    {
        foreach (var watch in watches.Where(w => w.State != ServerState.Visible))
        {
            logger.DnsServerTolerated(prepared.Record.Zone, watch.Report);
        }

        var count = watches.Count(w => w.State == ServerState.Visible);
        logger.DnsRecordVisible(prepared.Record.Name, $"{count} name server address{(count == 1 ? "" : "es")} of zone {prepared.Record.Zone}", time.GetElapsedTime(prepared.CreatedAt).TotalSeconds);
    }

    private static ChallengeException TimedOut(PreparedRecord prepared, string missing, bool silent) => new(
        $"{prepared.Record.ChallengeName}: the TXT record {prepared.Record.Name} in zone {prepared.Record.Zone}, created by {prepared.Provider.Provider.Description}, " +
        $"was not visible everywhere within {prepared.Provider.Specification.PropagationTimeout:c}: {missing}. The authority was not told to look.")
    {
        Fault = silent ? ChallengeFault.Local : ChallengeFault.Name,
    };
}
