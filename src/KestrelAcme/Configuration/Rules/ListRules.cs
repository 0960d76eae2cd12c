using KestrelAcme.Configuration.Names;
using KestrelAcme.Configuration.Snapshot;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Checks the lists of challenge types and key algorithms, which exist for the app and for each certificate.</summary>
internal static class ListRules
{
    private const string DnsPersist01 = "dns-persist-01";

    /// <summary>The types from RFC 8555, RFC 8737 and the drafts. The app may have handlers for others.</summary>
    private static readonly string[] KnownTypes = ["http-01", "tls-alpn-01", "dns-01", "dns-account-01", DnsPersist01];

    /// <summary>Reads challenge types. Returns <see langword="null"/> for <see langword="null"/>.</summary>
    public static EquatableArray<string>? ChallengeTypes(IList<string>? list, string key, EnvironmentFacts facts, ProblemList problems)
    {
        var types = list?.Select(type => (type ?? "").Trim().ToLowerInvariant()).ToArray();
        if (types is null || !CheckSize(types, key, "Write 'http-01', or remove the key", problems))
        {
            return null;
        }

        for (var i = 0; i < types.Length; i++)
        {
            if (WhyNotAType(types[i]) is { } fix)
            {
                problems.Add($"{key}:{i}", types[i], "is not a challenge type", fix);
            }
            else if (types[i] == DnsPersist01 && !facts.ExperimentalChallengeTypes.Contains(DnsPersist01))
            {
                problems.Add(
                    $"{key}:{i}", types[i], "follows a draft that may still change, and the app does not allow it",
                    "Call AddDnsPersist01() on the result of AddAcmeHttps(), or remove it");
            }
        }

        return EquatableArray.From(types);
    }

    /// <summary>Reads key algorithms. Returns <see langword="null"/> for <see langword="null"/>.</summary>
    public static EquatableArray<KeyAlgorithm>? KeyAlgorithms(IList<KeyAlgorithm>? list, string key, ProblemList problems)
    {
        if (list is null || !CheckSize(list, key, $"Write '{nameof(KeyAlgorithm.EcdsaP256)}', or remove the key", problems))
        {
            return null;
        }

        for (var i = 0; i < list.Count; i++)
        {
            ScalarRules.Defined(list[i], $"{key}:{i}", problems);
        }

        return EquatableArray.From(list);
    }

    private static bool CheckSize<T>(IList<T> list, string key, string fix, ProblemList problems)
    {
        if (list.Count == 0)
        {
            problems.Add(key, null, "is empty", fix);
            return false;
        }

        for (var i = 1; i < list.Count; i++)
        {
            if (list.Take(i).Contains(list[i]))
            {
                problems.Add($"{key}:{i}", $"{list[i]}", "is listed twice", "Remove one of them");
            }
        }

        return true;
    }

    private static string? WhyNotAType(string type)
    {
        if (KnownTypes.Contains(type))
        {
            return null;
        }

        var beginning = type.Length > 1 ? Array.Find(KnownTypes, known => known.StartsWith(type, StringComparison.Ordinal)) : null;
        if ((NearestName.Find(type, KnownTypes) ?? beginning) is { } meant)
        {
            return $"Did you mean '{meant}'?";
        }

        // Every registered type ends with its version.
        var wellFormed = type.Length is > 3 and <= 64
            && type.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c == '-')
            && type[^3] == '-' && char.IsAsciiDigit(type[^2]) && char.IsAsciiDigit(type[^1]);
        return wellFormed ? null : $"Write one of {string.Join(", ", KnownTypes.Take(3))}";
    }
}
