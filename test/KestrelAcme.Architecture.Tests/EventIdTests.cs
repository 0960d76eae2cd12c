using System.Globalization;
using System.Reflection;
using System.Text.RegularExpressions;
using Microsoft.Extensions.Logging;
using Xunit;

namespace KestrelAcme.Architecture.Tests;

/// <summary>
/// Operators build alerts on event ids: each is unique, lies in the block of its folder, and is listed in docs/events.md.
/// </summary>
public sealed partial class EventIdTests
{
    private const int BlockSize = 100;

    private static readonly Dictionary<string, int> BlockOfAssembly = new()
    {
        ["KestrelAcme.LocalAuthority"] = 9000,
        ["KestrelAcme.PostgreSql"] = 2100,
        ["KestrelAcme.EntityFrameworkCore"] = 2200,
    };

    // The block of the folder is used up.
    private static readonly Dictionary<string, int> BlockOfRoom = new() { ["OnDemand"] = 1700, ["Import"] = 1800 };

    private const string Suffix = "Log";

    private const string Document = "docs/events.md";

    private static readonly List<(string Assembly, string? Folder, string Method, int Id, LogLevel Level, string Name)> Events =
    [
        .. from file in Directory.EnumerateFiles(AppContext.BaseDirectory, "KestrelAcme*.dll")
           where !file.EndsWith(".Tests.dll", StringComparison.Ordinal)
           from type in Assembly.LoadFrom(file).GetTypes()
           from method in type.GetMethods(
               BindingFlags.Static | BindingFlags.Instance | BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.DeclaredOnly)
           let attribute = method.GetCustomAttribute<LoggerMessageAttribute>()
           where attribute is not null
           select (
               Path.GetFileNameWithoutExtension(file), FolderOf(type), $"{type.FullName}.{method.Name}", attribute.EventId, attribute.Level,
               string.IsNullOrEmpty(attribute.EventName) ? method.Name : attribute.EventName),
    ];

    private static readonly List<Row> Rows =
    [
        .. from match in TableRow().Matches(File.ReadAllText(Path.Combine(Repository.Root, Document)))
           let cells = match.Groups[2].Value.Split(" | ")
           select new Row(int.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture), [.. cells.Select(cell => cell.Trim())]),
    ];

    [Fact]
    public void EventIds_AllProducts_AreUnique()
    {
        var twice = Events.GroupBy(entry => entry.Id).Where(group => group.Count() > 1)
            .Select(group => $"{group.Key}: {string.Join(", ", group.Select(entry => entry.Method))}");

        Violations.None("An event id is used once", twice);
    }

    [Fact]
    public void EventIds_AllProducts_AreInTheirBlock()
    {
        var wrong = Events.Where(
            entry => FirstOf(entry.Assembly, entry.Folder) is not { } first || entry.Id < first || entry.Id >= first + BlockSize)
            .Select(
                entry =>
                    $"{entry.Method} has {entry.Id}; its block starts at {FirstOf(entry.Assembly, entry.Folder)} "
                        + "(where there is no number: log nothing, or give it a block here)");

        Violations.None("An event id lies in its block", wrong);
    }

    [Fact]
    public void EventsDocument_EveryEvent_IsThereOnce()
    {
        var rows = Rows.ToLookup(row => row.Id);
        var wrong = Events.Where(entry => rows[entry.Id].Count() != 1)
            .Select(entry => $"{entry.Id} {entry.Name} has {rows[entry.Id].Count()} rows")
            .Concat(
                Rows.Where(row => Events.TrueForAll(entry => entry.Id != row.Id)).Select(row => $"{row.Id} is not an event of the code"));

        Violations.None($"{Document} has one row for each event, beginning with | id |", wrong);
    }

    [Fact]
    public void EventsDocument_LevelsAndNames_AreThoseOfTheCode()
    {
        var wrong = from entry in Events
                    from row in Rows
                    where row.Id == entry.Id && (row.Level != entry.Level.ToString() || row.Name != $"`{entry.Name}`")
                    select $"{entry.Id} is {entry.Level} `{entry.Name}`; the row says {row.Level} {row.Name}";

        Violations.None($"The levels and names in {Document} are those of the code", wrong);
    }

    [Fact]
    public void EventsDocument_EveryRow_SaysWhatItMeansAndWhatToDo()
    {
        var wrong = from row in Rows
                    where row.Cells.Length != 4 || row.Cells.Any(cell => cell.Length == 0)
                        || (row.Action == "Nothing." && row.Level is not ("Trace" or "Debug" or "Information"))
                    select $"{row.Id}: | ID | Level | Event | Meaning | What to do |; a warning or an error always has something to do";

        Violations.None($"Each row of {Document} is complete", wrong);
    }

    // The messages of a folder lie in it, or together with the others' in Diagnostics, in a class <Folder>Log or <Folder><Subject>Log.
    private static string? FolderOf(Type type)
    {
        var folder = FolderPlan.FolderOf(type.Namespace ?? "");
        return folder == "Diagnostics" && type.Name.EndsWith(Suffix, StringComparison.Ordinal)
            ? FolderPlan.All.FirstOrDefault(plan => type.Name.StartsWith(plan.Folder, StringComparison.Ordinal))?.Folder
                ?? type.Name[..^Suffix.Length]
            : folder;
    }

    private static int? FirstOf(string assembly, string? folder) => assembly == "KestrelAcme"
        ? folder is not null && BlockOfRoom.TryGetValue(folder, out var block)
            ? block
            : FolderPlan.All.FirstOrDefault(plan => plan.Folder == folder)?.FirstEventId
        : BlockOfAssembly.TryGetValue(assembly, out var first) ? first : null;

    [GeneratedRegex(@"^\| *(\d+) *\|(.*)\|[ \r]*$", RegexOptions.Multiline)]
    private static partial Regex TableRow();

    private sealed record Row(int Id, string[] Cells)
    {
        public string Level => Cells[0];

        public string Name => Cells.ElementAtOrDefault(1) ?? "";

        public string Action => Cells.ElementAtOrDefault(3) ?? "";
    }
}
