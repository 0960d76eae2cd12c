using System.Net;
using System.Net.Sockets;
using KestrelAcme.Certificates.Persistence;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Certificates.OnDemand;

/// <summary>
/// Decides whether one more name may be new: within an hour and a day in all, within a week below its registered domain, and within an hour
/// for the network of its client. Pure.
/// </summary>
internal static class NewNamePolicy
{
    private static readonly Window Hour = new(TimeSpan.FromMinutes(1), 60);
    private static readonly Window Day = new(TimeSpan.FromHours(1), 24);
    private static readonly Window DomainWeek = new(TimeSpan.FromDays(1), 7);
    private static readonly Window NetworkHour = new(TimeSpan.FromMinutes(10), 6);

    /// <summary>Counts a name, or a group of names with one certificate, unless that is over a limit.</summary>
    /// <returns>The counts afterwards; unchanged and with the reason if it is over a limit.</returns>
    public static (NewNameCounts Counts, string? Refusal) Take(
        NewNameCounts counts, IReadOnlyCollection<CertificateIdentifier> names, IPAddress? client, DateTimeOffset now,
        OnDemandSpecification limits)
    {
        var network = Network(client);
        var domains = names.Select(RegisteredDomain).ToHashSet(StringComparer.Ordinal);
        var full = domains.FirstOrDefault(d => DomainWeek.Count(counts.Domains.GetValueOrDefault(d), now) >= limits.PerDomain);
        var refusal = Hour.Count(counts.Minutes, now) >= limits.PerHour
                ? $"{limits.PerHour} names were new within an hour (OnDemand:MaxNewNamesPerHour)"
            : Day.Count(counts.Hours, now) >= limits.PerDay
                ? $"{limits.PerDay} names were new within a day (OnDemand:MaxNewNamesPerDay)"
            : full is not null
                ? $"{limits.PerDomain} names below {full} were new within a week (OnDemand:MaxNewNamesPerRegisteredDomain)"
            : network is not null && NetworkHour.Count(counts.Networks.GetValueOrDefault(network), now) >= limits.PerNetwork
                ? $"{limits.PerNetwork} names were new within an hour for clients of {network} (OnDemand:MaxNewNamesPerClientNetwork)"
            : null;
        return refusal is not null ? (counts, refusal) : (new NewNameCounts
        {
            Minutes = Hour.Add(counts.Minutes, now),
            Hours = Day.Add(counts.Hours, now),
            Domains = DomainWeek.Add(counts.Domains, domains, now),
            Networks = NetworkHour.Add(counts.Networks, network is null ? [] : [network], now),
        }, null);
    }

    /// <summary>
    /// Returns an approximation of the registered domain, without a list of public suffixes: the last two labels, or three if the second
    /// one from the right is a usual category of a country, as in <c>example.co.uk</c>. Below a suffix that is not recognized, unrelated
    /// domains share their limit, which can only refuse more.
    /// </summary>
    public static string RegisteredDomain(CertificateIdentifier name)
    {
        if (name.Kind == IdentifierKind.Ip)
        {
            return Network(IPAddress.Parse(name.Value))!;
        }

        var labels = name.BaseValue.Split('.');
        var count = labels.Length > 2 && labels[^1].Length == 2 && IsCategory(labels[^2]) ? 3 : 2;
        return string.Join('.', labels.TakeLast(count));
    }

    /// <summary>Returns the network of a client: /24 for IPv4, /48 for IPv6.</summary>
    public static string? Network(IPAddress? client)
    {
        if (client is null)
        {
            return null;
        }

        var bytes = client.GetAddressBytes();
        var kept = client.AddressFamily == AddressFamily.InterNetwork ? 3 : 6;
        bytes.AsSpan(kept).Clear();
        return $"{new IPAddress(bytes)}/{kept * 8}";
    }

    private static bool IsCategory(string label)
        => label is "ac" or "co" or "com" or "edu" or "gob" or "gov" or "go" or "gouv" or "id" or "info" or "ltd" or "me" or "mil"
            or "ne" or "net" or "nom" or "or" or "org" or "plc" or "sch" or "web";

    /// <summary>A sliding window of some periods and the current one, so that no window of their length is ever over the limit.</summary>
    private readonly record struct Window(TimeSpan Period, int Periods)
    {
        public int Count(IReadOnlyDictionary<long, int>? counts, DateTimeOffset now)
        {
            var sum = 0;
            foreach (var (period, count) in counts ?? NewNameCounts.None)
            {
                sum += IsCounted(period, Of(now)) ? count : 0;
            }

            return sum;
        }

        public Dictionary<long, int> Add(IReadOnlyDictionary<long, int>? counts, DateTimeOffset now)
        {
            var current = Of(now);
            var kept = new Dictionary<long, int>();
            foreach (var (period, count) in counts ?? NewNameCounts.None)
            {
                if (IsKept(period, current))
                {
                    kept[period] = count;
                }
            }

            kept[current] = kept.GetValueOrDefault(current) + 1;
            return kept;
        }

        public Dictionary<string, IReadOnlyDictionary<long, int>> Add(
            IReadOnlyDictionary<string, IReadOnlyDictionary<long, int>> all, HashSet<string> keys, DateTimeOffset now)
        {
            var kept = new Dictionary<string, IReadOnlyDictionary<long, int>>(all.Count + keys.Count, StringComparer.Ordinal);
            var current = Of(now);
            foreach (var (other, counts) in all)
            {
                foreach (var period in counts.Keys)
                {
                    if (IsKept(period, current))
                    {
                        kept[other] = counts;
                        break;
                    }
                }
            }

            foreach (var key in keys)
            {
                kept[key] = Add(kept.GetValueOrDefault(key), now);
            }

            return kept;
        }

        private long Of(DateTimeOffset time) => time.UtcTicks / Period.Ticks;

        // What a clock that was ahead counted still counts, but not forever.
        private bool IsCounted(long period, long current) => period >= current - Periods && period <= current + Periods;

        // An instance whose clock is ahead must not make the others forget what they counted.
        private bool IsKept(long period, long current) => period >= current - (2 * Periods) && period <= current + (2 * Periods);
    }
}
