using System.Runtime.InteropServices;
using KestrelAcme.Fuzz;
using SharpFuzz;

switch (args)
{
    case ["list"]:
        foreach (var target in FuzzTargets.All)
        {
            Console.WriteLine(target.Name);
        }

        return 0;

    case ["seed", var folder]:
        Seeds.Write(folder);
        return 0;

    case ["run", var name]:
    {
        var target = FuzzTargets.Find(name);
        WarmUp(target);
        using var input = new MemoryStream();
        Fuzzer.Run(stream =>
        {
            input.SetLength(0);
            stream.CopyTo(input);
            target.Run(input.GetBuffer().AsSpan(0, (int)input.Length));
        });
        return 0;
    }

    case ["replay", var name, .. var files]:
        foreach (var file in files)
        {
            Console.WriteLine(file);
            FuzzTargets.Find(name).Run(File.ReadAllBytes(file));
        }

        return 0;

    default:
        Console.Error.WriteLine("Usage: list | seed FOLDER | run TARGET | replay TARGET FILE...");
        return 2;
}

// What runs once, such as static constructors, must not be part of the first input's path: AFL++ would take its edges for unstable and
// learn nothing from them. Instrumented code writes to a map that the fuzzer attaches later; until then it is a block of memory of our own.
static unsafe void WarmUp(FuzzTarget target)
{
    const int rounds = 100;
    SharpFuzz.Common.Trace.SharedMem = (byte*)NativeMemory.AllocZeroed(1 << 16);
    var inputs = Seeds.All().Where(seed => seed.Target == target.Name).Select(seed => seed.Content).Append([]).ToList();
    for (var i = 0; i < rounds; i++)
    {
        inputs.ForEach(input => target.Run(input));
    }
}
