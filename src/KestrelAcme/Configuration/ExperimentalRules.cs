namespace KestrelAcme.Configuration;

/// <summary>Checks that the application knows what it is in for where a challenge type follows a moving draft.</summary>
internal static class ExperimentalRules
{
    private const string DnsPersist01 = "dns-persist-01";

    /// <summary>Checks the challenge types of all levels.</summary>
    public static void Check(AcmeHttpsOptions options, EnvironmentFacts facts, ProblemList problems)
    {
        if (facts.ExperimentalChallengeTypes.Contains(DnsPersist01))
        {
            return;
        }

        Check(options.ChallengeTypes, "ChallengeTypes", problems);
        for (var i = 0; i < (options.Certificates?.Count ?? 0); i++)
        {
            Check(options.Certificates![i]?.ChallengeTypes, $"Certificates:{i}:ChallengeTypes", problems);
        }
    }

    private static void Check(IList<string>? types, string key, ProblemList problems)
    {
        for (var i = 0; i < (types?.Count ?? 0); i++)
        {
            if (string.Equals(types![i]?.Trim(), DnsPersist01, StringComparison.OrdinalIgnoreCase))
            {
                problems.Add($"{key}:{i}", types[i], "follows a draft that still moves, and was not asked for in code", "Call AddDnsPersist01() on what AddAcmeHttps() returns, or remove it");
            }
        }
    }
}
