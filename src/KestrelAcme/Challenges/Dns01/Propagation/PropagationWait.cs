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
        var least = specification.MinimumWait;
        if (specification.PropagationCheck == DnsPropagationCheck.Resolvers)
        {
            await AskResolversAsync(prepared, cancellationToken);
        }
        else if (!await AskServersAsync(prepared, cancellationToken) && least < PropagationPolicy.LeastWaitWithoutServers)
        {
            least = PropagationPolicy.LeastWaitWithoutServers;
        }

        var rest = least - time.GetElapsedTime(prepared.CreatedAt);
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
               select new ServerWatch(requestor, time, server.Name.ToString(), endPoint, prepared.Record.Value, prepared.Place.Zone),
        ];
    }

    /// <returns>Whether the servers show the record; otherwise only the resolvers do, because no server answers as an authority.</returns>
    private async Task<bool> AskServersAsync(PreparedRecord prepared, CancellationToken cancellationToken)
    {
        var (place, specification) = (prepared.Place, prepared.Provider.Specification);
        var watches = Watch(prepared);
        var resolverReport = "";
        var done = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        var noAuthority = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var polling = Task.WhenAll(
            [AskResolversInsteadAsync(), .. watches.Select(watch => PollAsync(watch, place.Name, Look, stop.Token))]);
        Look();
        try
        {
            var byServers = await done.Task.WaitAsync(specification.PropagationTimeout, time, cancellationToken);
            Report(prepared, watches, byServers ? null : resolverReport);
            return byServers;
        }
        catch (TimeoutException)
        {
            throw NotVisible(prepared, watches, resolverReport, specification.PropagationTimeout);
        }
        finally
        {
            await stop.CancelQuietlyAsync();
            await polling.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        void Look()
        {
            if (PropagationPolicy.IsVisible(watches.Select(w => w.State), specification.RequireEveryServer))
            {
                done.TrySetResult(true);
            }
            else if (PropagationPolicy.NoneIsAuthority(watches.Select(w => w.State)))
            {
                noAuthority.TrySetResult();
            }
        }

        async Task AskResolversInsteadAsync()
        {
            await noAuthority.Task.WaitAsync(stop.Token);
            if (specification.RequireEveryServer)
            {
                done.TrySetException(NotVisible(prepared, watches, resolverReport, time.GetElapsedTime(prepared.CreatedAt)));
                return;
            }

            var report = place.WhyNoServers?.TrimEnd('.') ?? string.Join("; ", watches.Select(w => w.Report));
            var least = PropagationPolicy.LeastWaitWithoutServers.TotalSeconds;
            logger.DnsServersUnusable(place.Name.ToString(), prepared.Record.Zone, report, least);
            var start = time.GetTimestamp();
            var answeredAt = start;
            while (!done.Task.IsCompleted)
            {
                (var visible, var answered, resolverReport) = await AskResolverAsync(prepared, stop.Token);
                answeredAt = answered ? time.GetTimestamp() : answeredAt;
                if (time.GetElapsedTime(answeredAt) >= PropagationPolicy.ResolverPatience)
                {
                    done.TrySetException(NotVisible(prepared, watches, resolverReport, time.GetElapsedTime(prepared.CreatedAt)));
                }
                else if (visible && PropagationPolicy.NoneIsAuthority(watches.Select(w => w.State)))
                {
                    // A server that is back, as after a restart, is waited for again.
                    done.TrySetResult(false);
                }

                await Task.Delay(PropagationPolicy.NextPause(time.GetElapsedTime(start)), time, stop.Token);
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
        using var limit = new TimeLimit(timeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        var start = time.GetTimestamp();
        var last = "no resolver was heard of";
        try
        {
            while (true)
            {
                (var visible, _, last) = await AskResolverAsync(prepared, both.Token);
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
            throw NotVisible(prepared, timeout, last, advice: "", passing: false);
        }
    }

    private async Task<(bool Visible, bool Answered, string Report)> AskResolverAsync(
        PreparedRecord prepared, CancellationToken cancellationToken)
    {
        try
        {
            var response = await dns.Requestor.ResolveAsync(prepared.Place.Name, DnsRecordType.TXT, cancellationToken);
            var values = response.RecordsOf<TxtRecord>();
            return values.Any(record => record.Text == prepared.Record.Value)
                ? (true, true, $"the resolver {response.Server}")
                : (false, true, $"the resolver {response.Server} answers {response.Code} with {values.Count} other values" +
                    Kept(response, prepared.Place));
        }
        catch (DnsException exception)
        {
            return (false, false, exception.Message.TrimEnd('.'));
        }
    }

    /// <summary>How long a resolver may keep an answer from before the record was created.</summary>
    private static string Kept(DnsResponse response, ChallengeRecordLocation place)
    {
        if (response.Answers.OfType<CnameRecord>().FirstOrDefault(record => record.Name == place.Name) is { } alias)
        {
            return $", by the CNAME to {alias.Target}, which it may keep for {alias.TimeToLive.TotalSeconds:0} s";
        }

        return response.Answers.Count == 0 && response.Authority.OfType<SoaRecord>().FirstOrDefault() is { } soa
            ? $", which it may keep for {Math.Min(soa.TimeToLive.TotalSeconds, soa.Minimum):0} s"
            : "";
    }

    private void Report(PreparedRecord prepared, ServerWatch[] watches, string? resolver)
    {
        foreach (var watch in watches.Where(w => w.State != ServerState.Visible && resolver is null))
        {
            logger.DnsServerTolerated(prepared.Record.Zone, watch.Report);
        }

        var count = watches.Count(w => w.State == ServerState.Visible);
        var servers = resolver ?? $"{count} name server address{(count == 1 ? "" : "es")} of zone {prepared.Record.Zone}";
        logger.DnsRecordVisible(prepared.Record.Name, servers, time.GetElapsedTime(prepared.CreatedAt).TotalSeconds);
    }

    private static ChallengeException NotVisible(
        PreparedRecord prepared, ServerWatch[] watches, string resolverReport, TimeSpan waited)
    {
        var zone = prepared.Record.Zone;
        string[] reports =
        [
            prepared.Place.WhyNoServers?.TrimEnd('.') ?? "",
            .. watches.Where(w => w.State != ServerState.Visible).Select(w => w.Report),
            resolverReport,
        ];
        var advice = Array.Exists(watches, w => w.WasAuthority) ? ""
            : prepared.Place.Doubt is { } doubt ? $" {doubt}"
            : $" From here, no name server of zone {zone} answers as its authority. If port 53 is blocked or intercepted in this " +
                $"network, set PropagationCheck: Resolvers for the DNS provider; otherwise check the NS records of {zone}.";
        var passing = prepared.Place.Doubt is not null || Array.TrueForAll(watches, w => w.IsSilent);
        return NotVisible(prepared, waited, string.Join("; ", reports.Where(report => report.Length > 0)), advice, passing);
    }

    private static ChallengeException NotVisible(PreparedRecord prepared, TimeSpan waited, string missing, string advice, bool passing) => new(
        $"{prepared.Record.ChallengeName}: the TXT record {prepared.Record.Name} in zone {prepared.Record.Zone}, created by {prepared.Provider.Provider.Description}, " +
        $"was not visible everywhere within {TimeSpan.FromSeconds(Math.Ceiling(waited.TotalSeconds)):c}: {missing}.{advice} " +
        "The authority was not told to look.")
    {
        Fault = passing ? ChallengeFault.Local : ChallengeFault.Name,
    };
}
