using System.Globalization;
using KestrelAcme.Configuration.Names;
using Microsoft.Extensions.Configuration;

namespace KestrelAcme.Configuration.Rules;

/// <summary>Parses single configuration values; what cannot be parsed becomes a problem.</summary>
internal sealed class ValueParser(ICollection<ConfigurationProblem> problems)
{
    /// <summary>Parses a boolean.</summary>
    public bool? Flag(IConfigurationSection section, string text)
    {
        if (bool.TryParse(text, out var flag))
        {
            return flag;
        }

        Report(section, "is not a boolean", "Write true or false");
        return null;
    }

    /// <summary>Parses an integer.</summary>
    public int? Number(IConfigurationSection section, string text)
    {
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number))
        {
            return number;
        }

        Report(section, "is not a whole number", "Write digits alone");
        return null;
    }

    /// <summary>Parses a duration. A number alone would be taken for days by the framework, and for seconds by its reader.</summary>
    public TimeSpan? Duration(IConfigurationSection section, string text)
    {
        if (text.Contains(':') && TimeSpan.TryParse(text, CultureInfo.InvariantCulture, out var duration))
        {
            return duration;
        }

        Report(section, "is not a duration", "Write hours, minutes and seconds, such as 00:05:00 for five minutes");
        return null;
    }

    /// <summary>Parses an enum's name, never its number.</summary>
    public TEnum? Choice<TEnum>(IConfigurationSection section, string text)
        where TEnum : struct, Enum
    {
        var names = Enum.GetNames<TEnum>();
        if (Array.Find(names, name => string.Equals(name, text, StringComparison.OrdinalIgnoreCase)) is { } found)
        {
            return Enum.Parse<TEnum>(found);
        }

        Report(section, $"is not one of {string.Join(", ", names)}", NearestName.Find(text, names) is { } nearest ? $"Did you mean '{nearest}'?" : "Write one of them");
        return null;
    }

    private void Report(IConfigurationSection section, string reason, string fix) => problems.Add(new ConfigurationProblem(section.Path, section.Value, reason, fix));
}
