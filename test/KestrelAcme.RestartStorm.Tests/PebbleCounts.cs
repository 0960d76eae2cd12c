using System.Text.RegularExpressions;
using KestrelAcme.Testing.Servers;

namespace KestrelAcme.RestartStorm.Tests;

/// <summary>What an authority was asked for, by its own log.</summary>
internal sealed partial record PebbleCounts(int Accounts, int Orders, int FailedValidations)
{
    public static PebbleCounts Of(PebbleServer pebble)
    {
        var log = pebble.Output;
        return new PebbleCounts(AccountLine().Count(log), OrderLine().Count(log), FailureLine().Count(log));
    }

    [GeneratedRegex("There are now [0-9]+ accounts in memory")]
    private static partial Regex AccountLine();

    [GeneratedRegex("There are now [0-9]+ orders in the db")]
    private static partial Regex OrderLine();

    // Each validation that failed, also where one authorization was looked at twice.
    [GeneratedRegex("authz .* set INVALID by")]
    private static partial Regex FailureLine();
}
