namespace KestrelAcme.Simulation.Tests;

/// <summary>All that goes wrong in a simulation, drawn from a seed before it starts.</summary>
internal sealed class Weather
{
    private readonly List<(Interval When, Trouble What)> _troubles = [];
    private readonly List<WeatherEvent> _events = [];
    private readonly List<Interval> _blocked = [];

    private Weather()
    {
    }

    /// <summary>What happens, earliest first.</summary>
    public IReadOnlyList<WeatherEvent> Events => _events;

    /// <summary>
    /// When no client could renew: the authority was in trouble, or the machine's clock was more than an hour off. Earliest first,
    /// disjoint.
    /// </summary>
    public IReadOnlyList<Interval> Blocked => _blocked;

    public static Weather Draw(int seed, DateTimeOffset start, DateTimeOffset end, WeatherRates rates)
    {
        var weather = new Weather();
        var random = new Random(seed);
        weather.DrawTroubles(random, start, end, rates);
        weather.DrawClockSteps(random, start, end, rates);
        weather.DrawEvents(random, start, end, rates);
        weather._events.Sort((a, b) => a.At.CompareTo(b.At));
        weather.MergeBlocked();
        return weather;
    }

    public (Trouble What, DateTimeOffset Until) At(DateTimeOffset now)
    {
        var (low, high) = (0, _troubles.Count - 1);
        while (low <= high)
        {
            var middle = (low + high) / 2;
            var (when, what) = _troubles[middle];
            if (when.Contains(now))
            {
                return (what, when.End);
            }

            (low, high) = when.Start > now ? (low, middle - 1) : (middle + 1, high);
        }

        return (Trouble.None, default);
    }

    /// <summary>When a trouble begins or ends next.</summary>
    public DateTimeOffset NextTurn(DateTimeOffset now)
    {
        foreach (var (when, _) in _troubles)
        {
            if (when.End > now)
            {
                return when.Start > now ? when.Start : when.End;
            }
        }

        return DateTimeOffset.MaxValue;
    }

    /// <summary>
    /// The first instant at which a client has had so much time, at a stretch and after <paramref name="from"/>, in which nothing hindered
    /// it.
    /// </summary>
    public DateTimeOffset AfterUnhindered(DateTimeOffset from, TimeSpan span)
    {
        var begin = from;
        foreach (var blocked in _blocked)
        {
            if (blocked.End > begin && blocked.Start < begin + span)
            {
                begin = blocked.End;
            }
        }

        return begin + span;
    }

    private void DrawTroubles(Random random, DateTimeOffset start, DateTimeOffset end, WeatherRates rates)
    {
        for (var at = Next(random, start, rates.Trouble); at < end; at = Next(random, at, rates.Trouble))
        {
            var what = (Trouble)random.Next(1, 5);

            // From minutes to ten days, short ones much more often than long ones.
            var minutes = Math.Exp(random.NextDouble() * Math.Log(what is Trouble.NonceStorm or Trouble.RateLimited ? 1440 : 14400));
            var when = new Interval(at, at.AddMinutes(minutes));
            _troubles.Add((when, what));
            _blocked.Add(when);
            at = when.End;
        }
    }

    private void DrawClockSteps(Random random, DateTimeOffset start, DateTimeOffset end, WeatherRates rates)
    {
        for (var at = Next(random, start, rates.ClockStep); at < end; at = Next(random, at, rates.ClockStep))
        {
            var minutes = Math.Exp(random.NextDouble() * Math.Log(60 * 24 * 60));
            var step = TimeSpan.FromMinutes(random.Next(2) == 0 ? minutes : -minutes);
            var corrected = at.AddMinutes(10 + (random.NextDouble() * 2880));
            _events.Add(new WeatherEvent(at, WeatherEventKind.ClockStep, step, 0));
            _events.Add(new WeatherEvent(corrected, WeatherEventKind.ClockStep, TimeSpan.Zero, 0));
            if (step.Duration() > TimeSpan.FromMinutes(59))
            {
                _blocked.Add(new Interval(at, corrected));
            }

            at = corrected;
        }
    }

    private void DrawEvents(Random random, DateTimeOffset start, DateTimeOffset end, WeatherRates rates)
    {
        Draw(
            random,
            start,
            end,
            rates.Stop,
            () => random.Next(4) switch { 0 => WeatherEventKind.Crash, 1 => WeatherEventKind.CrashInOrder, _ => WeatherEventKind.Restart });
        Draw(random, start, end, rates.WindowsMove, () => WeatherEventKind.WindowsMove);
        Draw(
            random,
            start,
            end,
            rates.Revocation,
            () => random.Next(2) == 0 ? WeatherEventKind.RevocationWithAdvice : WeatherEventKind.RevocationOnListOnly);
    }

    private void Draw(Random random, DateTimeOffset start, DateTimeOffset end, TimeSpan mean, Func<WeatherEventKind> kind)
    {
        for (var at = Next(random, start, mean); at < end; at = Next(random, at, mean))
        {
            _events.Add(new WeatherEvent(at, kind(), TimeSpan.FromHours((random.NextDouble() * 96) - 48), random.Next()));
        }
    }

    private void MergeBlocked()
    {
        var merged = new List<Interval>();
        foreach (var interval in _blocked.OrderBy(i => i.Start))
        {
            if (merged.Count > 0 && interval.Start <= merged[^1].End)
            {
                merged[^1] = merged[^1] with { End = interval.End > merged[^1].End ? interval.End : merged[^1].End };
            }
            else
            {
                merged.Add(interval);
            }
        }

        _blocked.Clear();
        _blocked.AddRange(merged);
    }

    private static DateTimeOffset Next(Random random, DateTimeOffset from, TimeSpan mean)
        => from - (mean * Math.Log(1 - random.NextDouble()));
}
