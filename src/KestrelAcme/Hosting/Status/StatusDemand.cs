using KestrelAcme.Certificates.OnDemand;
using KestrelAcme.Configuration.Snapshot;
using KestrelAcme.Diagnostics;
using Microsoft.Extensions.DependencyInjection;

namespace KestrelAcme.Hosting.Status;

/// <summary>Reads the names on demand for the status, from memory.</summary>
internal sealed class StatusDemand(IServiceProvider services, ConfigurationSource configuration)
{
    /// <summary>The most names in each list.</summary>
    public const int MostNames = 20;

    /// <returns><see langword="null"/> if nothing is on demand. None of its services is created then.</returns>
    public StatusOnDemand? Read()
        => configuration.Current is not { Enabled: true, OnDemand: not null } ? null : new StatusOnDemand
        {
            Newest = Newest(services.GetRequiredService<OnDemandNames>().All),
            Refused = Refused(services.GetRequiredService<DeniedNames>().Latest),
        };

    // There may be 100,000 of them.
    private static List<StatusNewName> Newest(IEnumerable<OnDemandName> all)
    {
        var newest = new PriorityQueue<OnDemandName, DateTimeOffset>(MostNames + 1);
        foreach (var name in all)
        {
            newest.Enqueue(name, name.Record.FirstAsked);
            if (newest.Count > MostNames)
            {
                newest.Dequeue();
            }
        }

        var rows = new List<StatusNewName>(newest.Count);
        while (newest.TryDequeue(out var name, out var at))
        {
            rows.Add(new StatusNewName { Name = QuotedText.Of(name.Record.Name, QuotedText.MaxNameLength), FirstAsked = at });
        }

        rows.Reverse();
        return rows;
    }

    // A name that comes again and again is listed once.
    private static IReadOnlyList<StatusRefusedName> Refused(IReadOnlyList<RefusedVisit> latest)
        => [.. latest.DistinctBy(visit => visit.Name).Take(MostNames).Select(visit => new StatusRefusedName
        {
            Name = QuotedText.Of(visit.Name, QuotedText.MaxNameLength),
            At = visit.At,
            Reason = QuotedText.Words(visit.Reason, QuotedText.MaxReplyLength),
        })];
}
