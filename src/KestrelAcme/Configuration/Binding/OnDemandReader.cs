using System.Net;
using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Rules;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Binding;

/// <summary>Binds and checks the settings of certificates on demand.</summary>
internal static class OnDemandReader
{
    private const int MostNames = 1_000_000;
    private const int MostWaiting = 100_000;
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan ShortestMemory = TimeSpan.FromDays(1);
    private static readonly TimeSpan LongestMemory = TimeSpan.FromDays(3653);

    /// <summary>Binds a section.</summary>
    public static OnDemandOptions Bind(SectionReader reader, OnDemandOptions? before)
    {
        var demand = before ?? new OnDemandOptions();
        reader.Text(nameof(demand.AskUrl), value => demand.AskUrl = value);
        reader.Duration(nameof(demand.Wait), value => demand.Wait = value);
        reader.Number(nameof(demand.MaxWaiting), value => demand.MaxWaiting = value);
        reader.Number(nameof(demand.MaxNewNamesPerHour), value => demand.MaxNewNamesPerHour = value);
        reader.Number(nameof(demand.MaxNewNamesPerDay), value => demand.MaxNewNamesPerDay = value);
        reader.Number(nameof(demand.MaxNewNamesPerRegisteredDomain), value => demand.MaxNewNamesPerRegisteredDomain = value);
        reader.Number(nameof(demand.MaxNewNamesPerClientNetwork), value => demand.MaxNewNamesPerClientNetwork = value);
        reader.Flag(nameof(demand.CheckAddress), value => demand.CheckAddress = value);
        reader.Texts(nameof(demand.Addresses), value => demand.Addresses = value);
        reader.Duration(nameof(demand.ForgetAfter), value => demand.ForgetAfter = value);
        reader.Flag(nameof(demand.KeepServingDenied), value => demand.KeepServingDenied = value);
        reader.Flag(nameof(demand.AllowIpAddresses), value => demand.AllowIpAddresses = value);
        reader.Flag(nameof(demand.AllowWildcards), value => demand.AllowWildcards = value);
        reader.Texts(nameof(demand.SubjectMapping), value => demand.SubjectMapping = value);
        return demand;
    }

    /// <summary>Checks the settings; returns <see langword="null"/> if there are none.</summary>
    public static OnDemandSpecification? Read(OnDemandOptions? demand, string key, ProblemList problems)
        => demand is null ? null : new OnDemandSpecification
        {
            AskUrl = ReadUrl(demand.AskUrl, $"{key}:{nameof(demand.AskUrl)}", problems),
            Wait = InRange(demand.Wait, TimeSpan.Zero, LongestWait, $"{key}:{nameof(demand.Wait)}", problems),
            MaxWaiting = ScalarRules.InRange(demand.MaxWaiting, 1, MostWaiting, $"{key}:{nameof(demand.MaxWaiting)}", problems),
            PerHour = Names(demand.MaxNewNamesPerHour, $"{key}:{nameof(demand.MaxNewNamesPerHour)}", problems),
            PerDay = Names(demand.MaxNewNamesPerDay, $"{key}:{nameof(demand.MaxNewNamesPerDay)}", problems),
            PerDomain = Names(
                demand.MaxNewNamesPerRegisteredDomain, $"{key}:{nameof(demand.MaxNewNamesPerRegisteredDomain)}", problems),
            PerNetwork = Names(demand.MaxNewNamesPerClientNetwork, $"{key}:{nameof(demand.MaxNewNamesPerClientNetwork)}", problems),
            CheckAddress = demand.CheckAddress,
            Addresses = ReadAddresses(demand.Addresses, $"{key}:{nameof(demand.Addresses)}", problems),
            ForgetAfter = InRange(demand.ForgetAfter, ShortestMemory, LongestMemory, $"{key}:{nameof(demand.ForgetAfter)}", problems),
            KeepServingDenied = demand.KeepServingDenied,
            AllowIpAddresses = demand.AllowIpAddresses,
            AllowWildcards = demand.AllowWildcards,
            SubjectMapping = ReadMapping(demand, $"{key}:{nameof(demand.SubjectMapping)}", problems),
        };

    private static int Names(int value, string key, ProblemList problems) => ScalarRules.InRange(value, 1, MostNames, key, problems);

    private static TimeSpan InRange(TimeSpan value, TimeSpan least, TimeSpan most, string key, ProblemList problems)
    {
        if (value < least || value > most)
        {
            problems.Add(key, $"{value:c}", $"is not between {least:c} and {most:c}", "Write a duration in that range, or remove the key");
        }

        return value;
    }

    private static Uri? ReadUrl(string? text, string key, ProblemList problems)
    {
        if (ScalarRules.NullIfEmpty(text) is not { } url)
        {
            return null;
        }

        if (Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https" && parsed.UserInfo.Length == 0)
        {
            return parsed;
        }

        problems.Add(key, null, "is not a URL with http or https and without a password", "Write one such as http://localhost:5000/ask");
        return null;
    }

    private static EquatableArray<CertificateIdentifier> ReadMapping(OnDemandOptions demand, string key, ProblemList problems)
    {
        var wildcards = new List<CertificateIdentifier>();
        foreach (var text in demand.SubjectMapping ?? [])
        {
            var result = DomainNameRules.Check(text, ["dns-01"], onlyPublicAuthorities: false);
            if (result is { IsSuccess: true, Identifier.IsWildcard: true })
            {
                wildcards.Add(result.Identifier);
            }
            else
            {
                problems.Add(key, text, "is not a wildcard", "Write one such as *.example.com");
            }
        }

        if (wildcards.Count > 0 && !demand.AllowWildcards)
        {
            problems.Add(key, null, "needs AllowWildcards", "Set OnDemand:AllowWildcards to true");
        }

        return EquatableArray.From(wildcards);
    }

    private static EquatableArray<IPNetwork> ReadAddresses(IList<string>? texts, string key, ProblemList problems)
    {
        var networks = new List<IPNetwork>();
        foreach (var text in texts ?? [])
        {
            if (IpAddressParser.TryParse(text, out var address))
            {
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            }
            else if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else
            {
                problems.Add(key, text, "is neither an IP address nor a network", "Write one such as 192.0.2.1 or 203.0.113.0/24");
            }
        }

        return EquatableArray.From(networks);
    }
}
